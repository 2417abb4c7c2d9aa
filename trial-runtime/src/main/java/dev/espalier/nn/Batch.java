package dev.espalier.nn;

import java.util.Arrays;

/// Samples on their way through a network; kept and filled again, it grows with the largest batch.
public final class Batch {
  /// The label of a position that is not judged.
  public static final int UNLABELLED = -1;

  private static final int MOST_VALUES = Integer.MAX_VALUE - 8;

  private final int inputSize;
  private final int positions;
  private float[] inputs = {};
  private int[] labels = {};
  private int count;

  /// @param spec the network that the samples are for
  public Batch(NetworkSpec spec) {
    inputSize = spec.input().size();
    positions = spec.scores().positions();
  }

  /// Makes room for `count` samples; what they hold is then to be written.
  public void resize(int samples) {
    int inputValues = values(samples, inputSize);
    if (inputs.length < inputValues) {
      inputs = new float[inputValues];
    }
    int labelValues = values(samples, positions);
    if (labels.length < labelValues) {
      labels = new int[labelValues];
    }
    count = samples;
  }

  /// {@return how many values of one array so many samples fill}
  ///
  /// @param size values of one sample, >= 0
  /// @throws IllegalArgumentException when they are more than an array can hold
  public static int values(int samples, long size) {
    long all = samples * size;
    if (all > MOST_VALUES) {
      throw new IllegalArgumentException(
          ("a batch of %d samples with %d values each does not fit an array, which holds %d;"
                  + " take a smaller batch, or a smaller network")
              .formatted(samples, size, MOST_VALUES));
    }
    return (int) all;
  }

  /// {@return samples}
  public int count() {
    return count;
  }

  /// {@return the inputs, sample by sample; room for more may follow}
  public float[] inputs() {
    return inputs;
  }

  /// {@return a class or [#UNLABELLED] for each position, sample by sample; room for more may
  /// follow}
  public int[] labels() {
    return labels;
  }

  /// {@return how many positions are judged}
  public int labelled() {
    return (int)
        Arrays.stream(labels, 0, count * positions).filter(label -> label != UNLABELLED).count();
  }
}
