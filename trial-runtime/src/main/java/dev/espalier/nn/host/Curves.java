package dev.espalier.nn.host;

import dev.espalier.nn.Activation;

/* tanh is a quotient of odd and even polynomials on [-7.9, 7.9], beyond which floats cannot tell it
 * from 1; coefficients of the minimax fit in Eigen's `ptanh`. Products and sums only, so the JIT
 * makes vectors of the loop and every machine gets the same bits, at a few units in the last place
 * and a twentieth of the time of Math.tanh. NaN stays NaN. */
/// Activations and their derivatives, over stretches of an array.
final class Curves {
  private static final float BOUND = 7.90531110763549805f;
  private static final float P1 = 4.89352455891786e-03f;
  private static final float P3 = 6.37261928875436e-04f;
  private static final float P5 = 1.48572235717979e-05f;
  private static final float P7 = 5.12229709037114e-08f;
  private static final float P9 = -8.60467152213735e-11f;
  private static final float P11 = 2.00018790482477e-13f;
  private static final float P13 = -2.76076847742355e-16f;
  private static final float Q0 = 4.89352518554385e-03f;
  private static final float Q2 = 2.26843463243900e-03f;
  private static final float Q4 = 1.18534705686654e-04f;
  private static final float Q6 = 1.19825839466702e-06f;

  private Curves() {}

  /// {@return the hyperbolic tangent within 1e-6}
  static float tanh(float value) {
    float x = Math.min(Math.max(value, -BOUND), BOUND);
    float y = x * x;
    float p = Math.fma(Math.fma(Math.fma(P13, y, P11), y, P9), y, P7);
    p = Math.fma(Math.fma(Math.fma(p, y, P5), y, P3), y, P1);
    float q = Math.fma(Math.fma(Math.fma(Q6, y, Q4), y, Q2), y, Q0);
    return x * p / q;
  }

  /// Replaces values in [from, to) by their hyperbolic tangent.
  static void tanh(float[] values, int from, int to) {
    for (int i = from; i < to; i++) {
      values[i] = tanh(values[i]);
    }
  }

  /// Replaces values in [from, to) by `1 / (1 + exp(-x))`.
  static void logistic(float[] values, int from, int to) {
    for (int i = from; i < to; i++) {
      values[i] = Math.fma(0.5f, tanh(0.5f * values[i]), 0.5f);
    }
  }

  /// Replaces inputs in [from, to) by outputs.
  static void apply(Activation activation, float[] values, int from, int to) {
    switch (activation) {
      case NONE -> {}
      case RELU -> {
        for (int i = from; i < to; i++) {
          values[i] = Math.max(values[i], 0f);
        }
      }
      case TANH -> tanh(values, from, to);
    }
  }

  /// Replaces the gradients by outputs in [from, to) by gradients by inputs.
  static void backpropagate(
      Activation activation, float[] outputs, float[] gradients, int from, int to) {
    switch (activation) {
      case NONE -> {}
      case RELU -> {
        for (int i = from; i < to; i++) {
          gradients[i] = outputs[i] > 0 ? gradients[i] : 0f;
        }
      }
      case TANH -> {
        for (int i = from; i < to; i++) {
          gradients[i] *= 1 - outputs[i] * outputs[i];
        }
      }
    }
  }
}
