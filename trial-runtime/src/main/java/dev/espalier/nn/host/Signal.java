package dev.espalier.nn.host;

/// What lies between two layers: the values of a batch and the gradient of the loss by them.
final class Signal {
  private final int size;
  private final boolean differentiable;
  private float[] values = {};
  private float[] gradients = {};

  /// @param size values per sample
  /// @param differentiable whether anybody asks for the gradient
  Signal(int size, boolean differentiable) {
    this.size = size;
    this.differentiable = differentiable;
  }

  void resize(int count) {
    if (values.length < Math.multiplyExact(count, size)) {
      values = new float[count * size];
      gradients = new float[differentiable ? count * size : 0];
    }
  }

  /// Takes the values of the caller's array from now on.
  void wrap(float[] samples) {
    values = samples;
  }

  int size() {
    return size;
  }

  boolean differentiable() {
    return differentiable;
  }

  float[] values() {
    return values;
  }

  float[] gradients() {
    return gradients;
  }
}
