package dev.espalier.programs.logreg;

import static dev.espalier.sdk.OpenRows.MEMORY;

import dev.espalier.data.SparseExamples;
import dev.espalier.sdk.OpenRows;
import java.lang.foreign.ValueLayout;

/// Stochastic gradient descent on one example after the other, on weights where they lie.
///
/// An example moves the weights of its features and the intercept: with `g = sigmoid(z) - label`,
/// `w_j = (1 - lr l2) w_j - lr g x_j`, `b = b - lr g`.
///
/// Source: Recht, Re, Wright, Niu 2011 (Hogwild) for several threads.
final class LogisticSteps {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  /// 1 + e is at most 2, so that the next factor cannot overflow.
  private static final double MAX_PRODUCT = 1e300;

  private LogisticSteps() {}

  /// Takes the examples `samples[from]` to `samples[to - 1]`, one after the other.
  ///
  /// @param weights one row a feature
  /// @param bias a single row
  /// @return the sum of log losses, each before its own step
  static double take(
      OpenRows weights,
      OpenRows bias,
      SparseExamples examples,
      int[] samples,
      int from,
      int to,
      float learningRate,
      float l2) {
    long intercept = bias.at(0);
    float shrink = 1 - learningRate * l2;
    long[] positions = new long[0];
    // The sum of log(1 + e) is the logarithm of a product: one logarithm for many examples.
    double product = 1;
    double lossSum = 0;
    for (int i = from; i < to; i++) {
      int sample = samples[i];
      int first = examples.starts()[sample];
      int count = examples.starts()[sample + 1] - first;
      if (count > positions.length) {
        positions = new long[2 * count];
      }
      weights.find(examples.indices(), first, first + count, positions);
      float b = MEMORY.get(FLOAT, intercept);
      double z = b + product(positions, examples.values(), first, count);
      int label = examples.labels()[sample];
      double e = Math.exp(-Math.abs(z));
      product *= 1 + e;
      if (product > MAX_PRODUCT) {
        lossSum += Math.log(product);
        product = 1;
      }
      lossSum += Math.max(label == 1 ? -z : z, 0);
      double probability = (z >= 0 ? 1 : e) / (1 + e);
      float step = (float) (-learningRate * (probability - label));
      move(positions, examples.values(), first, count, shrink, step);
      MEMORY.set(FLOAT, intercept, b + step);
    }
    return lossSum + Math.log(product);
  }

  /// Four sums, so that no addition waits for the one before it.
  private static double product(long[] positions, float[] values, int first, int count) {
    float sum0 = 0;
    float sum1 = 0;
    float sum2 = 0;
    float sum3 = 0;
    int j = 0;
    for (; j < count - 3; j += 4) {
      sum0 += MEMORY.get(FLOAT, positions[j]) * values[first + j];
      sum1 += MEMORY.get(FLOAT, positions[j + 1]) * values[first + j + 1];
      sum2 += MEMORY.get(FLOAT, positions[j + 2]) * values[first + j + 2];
      sum3 += MEMORY.get(FLOAT, positions[j + 3]) * values[first + j + 3];
    }
    for (; j < count; j++) {
      sum0 += MEMORY.get(FLOAT, positions[j]) * values[first + j];
    }
    return (double) (sum0 + sum1) + (sum2 + sum3);
  }

  private static void move(
      long[] positions, float[] values, int first, int count, float shrink, float step) {
    for (int j = 0; j < count; j++) {
      long weight = positions[j];
      MEMORY.set(FLOAT, weight, shrink * MEMORY.get(FLOAT, weight) + step * values[first + j]);
    }
  }
}
