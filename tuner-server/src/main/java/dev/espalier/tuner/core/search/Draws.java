package dev.espalier.tuner.core.search;

import java.util.SplittableRandom;

/// Draws from discrete distributions.
final class Draws {
  private Draws() {}

  /// {@return an index, drawn with the given probabilities, which sum to 1}
  static int index(double[] probabilities, SplittableRandom random) {
    double left = random.nextDouble();
    for (int i = 0; i < probabilities.length - 1; i++) {
      left -= probabilities[i];
      if (left < 0) {
        return i;
      }
    }
    return probabilities.length - 1;
  }
}
