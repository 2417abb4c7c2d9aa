package dev.espalier.nn.host;

import dev.espalier.nn.LayerSpec.Pooling;
import dev.espalier.nn.Shape;
import java.util.Arrays;

/// The largest or mean value of squares; of equal largest values the first one counts, and a NaN is
/// larger than all.
final class PoolingLayer implements Layer {
  private final Pooling pooling;
  private final Shape in;
  private final Shape out;
  private int[] sources = {};

  PoolingLayer(Pooling pooling, Shape in) {
    this.pooling = pooling;
    this.in = in;
    this.out = pooling.output(in);
  }

  @Override
  public void forward(Signal input, Signal output, int count) {
    if (pooling.largest() && sources.length < count * out.size()) {
      sources = new int[count * out.size()];
    }
    int channels = in.channels();
    for (int row = 0; row < count * out.height(); row++) {
      int top = firstInputRow(row) * in.width() * channels;
      for (int x = 0; x < out.width(); x++) {
        int at = (row * out.width() + x) * channels;
        int corner = top + x * pooling.size() * channels;
        if (pooling.largest()) {
          takeLargest(input.values(), corner, output.values(), at);
        } else {
          takeMean(input.values(), corner, output.values(), at);
        }
      }
    }
  }

  /// {@return the first row of input under a row of output, both counted over the whole batch}
  private int firstInputRow(int row) {
    return row / out.height() * in.height() + row % out.height() * pooling.size();
  }

  private void takeLargest(float[] values, int corner, float[] outputs, int at) {
    int channels = in.channels();
    System.arraycopy(values, corner, outputs, at, channels);
    for (int channel = 0; channel < channels; channel++) {
      sources[at + channel] = corner + channel;
    }
    for (int tap = 1; tap < pooling.size() * pooling.size(); tap++) {
      int from = corner + offset(tap);
      for (int channel = 0; channel < channels; channel++) {
        float value = values[from + channel];
        float best = outputs[at + channel];
        boolean larger = value > best || Float.isNaN(value);
        outputs[at + channel] = larger ? value : best;
        sources[at + channel] = larger ? from + channel : sources[at + channel];
      }
    }
  }

  private void takeMean(float[] values, int corner, float[] outputs, int at) {
    int channels = in.channels();
    int taps = pooling.size() * pooling.size();
    Arrays.fill(outputs, at, at + channels, 0f);
    for (int tap = 0; tap < taps; tap++) {
      int from = corner + offset(tap);
      for (int channel = 0; channel < channels; channel++) {
        outputs[at + channel] += values[from + channel] / taps;
      }
    }
  }

  private int offset(int tap) {
    return (tap / pooling.size() * in.width() + tap % pooling.size()) * in.channels();
  }

  @Override
  public void backward(Signal input, Signal output, int count) {
    if (!input.differentiable()) {
      return;
    }
    float[] gradients = input.gradients();
    Arrays.fill(gradients, 0, count * in.size(), 0f);
    if (pooling.largest()) {
      for (int i = 0; i < count * out.size(); i++) {
        gradients[sources[i]] += output.gradients()[i];
      }
    } else {
      spreadMean(output.gradients(), gradients, count);
    }
  }

  private void spreadMean(float[] from, float[] to, int count) {
    int channels = in.channels();
    int taps = pooling.size() * pooling.size();
    for (int row = 0; row < count * out.height(); row++) {
      int top = firstInputRow(row) * in.width() * channels;
      for (int x = 0; x < out.width(); x++) {
        int at = (row * out.width() + x) * channels;
        for (int tap = 0; tap < taps; tap++) {
          int corner = top + x * pooling.size() * channels + offset(tap);
          for (int channel = 0; channel < channels; channel++) {
            to[corner + channel] = from[at + channel] / taps;
          }
        }
      }
    }
  }
}
