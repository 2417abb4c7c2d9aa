package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.race.Move;

/// What stood before a challenger was adopted, until the validation data agree with the race.
///
/// @param incumbent the setting before
/// @param move what won
/// @param metric the validation result before; not NaN
/// @param raceSeconds what the winner ran in the race
/// @param isByHand whether a person chose it
record Guard(Setting incumbent, Move move, double metric, double raceSeconds, boolean isByHand) {
  /// Of the range of all results; falls below it may be chance.
  static final double TOLERANCE = 0.03;

  /// {@return whether a result after the adoption says that the race was wrong}
  ///
  /// @param value NaN when it could not be computed, which says so
  /// @param range how far apart the best and the worst result of the job are
  boolean isRefutedBy(double value, double range, Goal goal) {
    return Double.isNaN(value)
        || (goal.isBetter(metric, value) && Math.abs(metric - value) > TOLERANCE * range);
  }
}
