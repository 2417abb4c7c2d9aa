package dev.espalier.programs.nn;

/// Samples with a class each.
sealed interface LabelledVectors {
  /// {@return number of samples}
  int count();

  /// {@return features per sample}
  int features();

  /// {@return the class of a sample, from 0}
  int label(int sample);

  /// Writes the features of one sample to `target` from `offset`.
  void copy(int sample, float[] target, int offset);

  /// Samples as bytes, each standing for a float: a quarter of the memory of floats.
  ///
  /// @param pixels samples x features, the channels of a pixel side by side
  /// @param meanings for each channel the floats that the 256 bytes stand for
  record Pixels(int count, int features, byte[] pixels, byte[] labels, float[][] meanings)
      implements LabelledVectors {
    @Override
    public int label(int sample) {
      return labels[sample] & 0xff;
    }

    @Override
    public void copy(int sample, float[] target, int offset) {
      int from = sample * features;
      int channels = meanings.length;
      for (int channel = 0; channel < channels; channel++) {
        float[] meaning = meanings[channel];
        for (int i = channel; i < features; i += channels) {
          target[offset + i] = meaning[pixels[from + i] & 0xff];
        }
      }
    }
  }

  /// Samples as floats.
  ///
  /// @param values samples x features
  record Floats(int count, int features, float[] values, byte[] labels) implements LabelledVectors {
    @Override
    public int label(int sample) {
      return labels[sample] & 0xff;
    }

    @Override
    public void copy(int sample, float[] target, int offset) {
      System.arraycopy(values, sample * features, target, offset, features);
    }
  }
}
