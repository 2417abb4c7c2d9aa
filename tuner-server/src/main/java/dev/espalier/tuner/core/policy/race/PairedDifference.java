package dev.espalier.tuner.core.policy.race;

import java.util.List;
import org.apache.commons.math3.distribution.TDistribution;

/// The mean difference of two branches' losses on the same blocks of samples, with its confidence
/// bounds: the interval of Student's paired t test.
///
/// Pairing takes out what is common to both branches, above all how hard each block is, so a
/// difference far below the spread of the losses themselves can be told from chance.
///
/// @param mean ours less theirs; negative when ours is better
/// @param halfWidth of the one-sided interval on either side; infinite for fewer than two pairs
/// @param pairs blocks that were compared
record PairedDifference(double mean, double halfWidth, int pairs) {
  /// Compares block by block.
  ///
  /// @param ours finite losses, as many as `theirs`
  /// @param confidence of each one-sided bound, in (0.5, 1)
  static PairedDifference of(List<Double> ours, List<Double> theirs, double confidence) {
    int pairs = Math.min(ours.size(), theirs.size());
    double sum = 0;
    for (int i = 0; i < pairs; i++) {
      sum += ours.get(i) - theirs.get(i);
    }
    double mean = pairs == 0 ? 0 : sum / pairs;
    if (pairs < 2) {
      return new PairedDifference(mean, Double.POSITIVE_INFINITY, pairs);
    }
    double squares = 0;
    for (int i = 0; i < pairs; i++) {
      double off = ours.get(i) - theirs.get(i) - mean;
      squares += off * off;
    }
    double error = Math.sqrt(squares / (pairs - 1) / pairs);
    double quantile = new TDistribution(pairs - 1).inverseCumulativeProbability(confidence);
    return new PairedDifference(mean, quantile * error, pairs);
  }

  double lower() {
    return mean - halfWidth;
  }

  double upper() {
    return mean + halfWidth;
  }

  /// {@return whether ours is better, and not by chance}
  boolean isBetter() {
    return upper() < 0;
  }

  /// {@return whether ours is worse, and not by chance}
  boolean isWorse() {
    return lower() > 0;
  }
}
