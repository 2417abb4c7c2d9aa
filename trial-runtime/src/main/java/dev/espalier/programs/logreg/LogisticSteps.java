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
    double lossSum = 0;
    for (int i = from; i < to; i++) {
      int sample = samples[i];
      int first = examples.starts()[sample];
      int end = examples.starts()[sample + 1];
      int label = examples.labels()[sample];
      float b = MEMORY.get(FLOAT, intercept);
      double z = b + product(weights, examples.indices(), examples.values(), first, end);
      lossSum += LogLoss.of(z, label);
      float step = (float) (-learningRate * (LogLoss.sigmoid(z) - label));
      move(weights, examples.indices(), examples.values(), first, end, shrink, step);
      MEMORY.set(FLOAT, intercept, b + step);
    }
    return lossSum;
  }

  /// Four sums, so that no addition waits for the one before it.
  private static double product(
      OpenRows weights, int[] indices, float[] values, int first, int end) {
    float sum0 = 0;
    float sum1 = 0;
    float sum2 = 0;
    float sum3 = 0;
    int j = first;
    for (; j < end - 3; j += 4) {
      sum0 += MEMORY.get(FLOAT, weights.at(indices[j])) * values[j];
      sum1 += MEMORY.get(FLOAT, weights.at(indices[j + 1])) * values[j + 1];
      sum2 += MEMORY.get(FLOAT, weights.at(indices[j + 2])) * values[j + 2];
      sum3 += MEMORY.get(FLOAT, weights.at(indices[j + 3])) * values[j + 3];
    }
    for (; j < end; j++) {
      sum0 += MEMORY.get(FLOAT, weights.at(indices[j])) * values[j];
    }
    return (double) (sum0 + sum1) + (sum2 + sum3);
  }

  private static void move(
      OpenRows weights,
      int[] indices,
      float[] values,
      int first,
      int end,
      float shrink,
      float step) {
    for (int j = first; j < end; j++) {
      long weight = weights.at(indices[j]);
      MEMORY.set(FLOAT, weight, shrink * MEMORY.get(FLOAT, weight) + step * values[j]);
    }
  }
}
