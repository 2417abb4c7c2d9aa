package dev.espalier.tuner.core.policy.racing;

/// The training losses at the ends of laps, and which of them blew up.
final class LapLosses {
  /// Of the range of the losses that were kept: a model that knows its samples by heart doubles a
  /// loss of almost nothing by chance.
  private static final double LEAST_RISE = 0.05;

  private final double spike;
  private double before = Double.NaN;
  private double least = Double.POSITIVE_INFINITY;
  private double most = Double.NEGATIVE_INFINITY;

  /// @param spike how many times the loss before is too much, > 1
  LapLosses(double spike) {
    this.spike = spike;
  }

  /// {@return the loss of the lap before; NaN where there is none that the next can be held
  /// against}
  double before() {
    return before;
  }

  /// {@return whether a lap that ended with this loss blew up}
  ///
  /// Losses may be negative: what counts is the rise against the size of the loss before.
  boolean isSpike(double loss) {
    double rise = loss - before;
    return rise > (spike - 1) * Math.abs(before) && rise > LEAST_RISE * (most - least);
  }

  /// Takes in the loss of a lap that is kept.
  void keep(double loss) {
    least = Math.min(least, loss);
    most = Math.max(most, loss);
    before = loss;
  }

  /// The next lap does not go on from the one before.
  void leavePath() {
    before = Double.NaN;
  }
}
