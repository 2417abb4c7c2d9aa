package dev.espalier.nn.host;

import dev.espalier.nn.Batch;

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

  /// Makes room for `count` samples, and for their gradients where somebody asks for them.
  ///
  /// @param trains whether a pass back follows
  void resize(int count, boolean trains) {
    int needed = Batch.values(count, size);
    if (values.length < needed) {
      values = new float[needed];
    }
    if (trains && differentiable && gradients.length < needed) {
      gradients = new float[needed];
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
