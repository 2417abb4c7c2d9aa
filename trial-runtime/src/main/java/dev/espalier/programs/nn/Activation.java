package dev.espalier.programs.nn;

/// What a hidden unit does to its input.
enum Activation {
  RELU {
    @Override
    void apply(float[] values, int count) {
      for (int i = 0; i < count; i++) {
        values[i] = Math.max(values[i], 0f);
      }
    }

    @Override
    void backpropagate(float[] outputs, float[] gradients, int count) {
      for (int i = 0; i < count; i++) {
        gradients[i] = outputs[i] > 0 ? gradients[i] : 0f;
      }
    }
  },
  TANH {
    @Override
    void apply(float[] values, int count) {
      for (int i = 0; i < count; i++) {
        values[i] = (float) Math.tanh(values[i]);
      }
    }

    @Override
    void backpropagate(float[] outputs, float[] gradients, int count) {
      for (int i = 0; i < count; i++) {
        gradients[i] *= 1 - outputs[i] * outputs[i];
      }
    }
  };

  /// Replaces the first `count` inputs by outputs.
  abstract void apply(float[] values, int count);

  /// Replaces gradients with respect to outputs by gradients with respect to inputs.
  abstract void backpropagate(float[] outputs, float[] gradients, int count);
}
