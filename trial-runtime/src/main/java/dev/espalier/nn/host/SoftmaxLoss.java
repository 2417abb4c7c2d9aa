package dev.espalier.nn.host;

import dev.espalier.nn.Batch;
import dev.espalier.nn.Outcome;
import dev.espalier.nn.Shape;

/* Of exp and log the strict ones, which round the same on every machine: a few nanoseconds more for
 * each class, where a product with the weights has led to it. */
/// The softmax over the scores of each position and its cross-entropy with the labels.
final class SoftmaxLoss {
  private final int positions;
  private final int classes;
  private final double[] exponentials;

  /// @param scores positions and, as channels, classes
  SoftmaxLoss(Shape scores) {
    positions = scores.positions();
    classes = scores.channels();
    exponentials = new double[classes];
  }

  /// Judges a batch and, where `scores` is differentiable, writes the gradient of the sum over
  /// samples of their mean loss.
  Outcome judge(Signal scores, Batch batch, boolean withGradient) {
    double lossSum = 0;
    int correct = 0;
    int judged = 0;
    for (int row = 0; row < batch.count() * positions; row++) {
      int from = row * classes;
      int label = batch.labels()[row];
      if (label == Batch.UNLABELLED) {
        if (withGradient) {
          java.util.Arrays.fill(scores.gradients(), from, from + classes, 0f);
        }
        continue;
      }
      int best = largest(scores.values(), from);
      float max = scores.values()[from + best];
      double total = exponentiate(scores.values(), from, max);
      double logTotal = StrictMath.log(total) + max;
      lossSum += logTotal - scores.values()[from + label];
      correct += best == label && Double.isFinite(logTotal) ? 1 : 0;
      judged++;
      if (withGradient) {
        writeGradient(scores.gradients(), from, label, total);
      }
    }
    return new Outcome(lossSum, correct, judged, 0);
  }

  private int largest(float[] scores, int from) {
    int best = 0;
    for (int j = 1; j < classes; j++) {
      best = scores[from + j] > scores[from + best] ? j : best;
    }
    return best;
  }

  private double exponentiate(float[] scores, int from, float max) {
    double total = 0;
    for (int j = 0; j < classes; j++) {
      exponentials[j] = StrictMath.exp(scores[from + j] - max);
      total += exponentials[j];
    }
    return total;
  }

  private void writeGradient(float[] gradients, int from, int label, double total) {
    double scale = 1 / (total * positions);
    for (int j = 0; j < classes; j++) {
      gradients[from + j] = (float) (exponentials[j] * scale);
    }
    gradients[from + label] -= 1f / positions;
  }
}
