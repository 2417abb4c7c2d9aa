package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.race.Move;
import java.util.List;
import java.util.stream.Stream;

/// What stood before a challenger was adopted, until the validation data agree with the race.
///
/// @param incumbent the setting before
/// @param metric the validation result before; not NaN
/// @param adopted what won since, one race after the other, at least one
record Guard(Setting incumbent, double metric, List<Adopted> adopted) {
  /// A challenger that won.
  ///
  /// @param move what it did differently
  /// @param raceSeconds what it ran in the race
  /// @param isByHand whether a person chose it, from which nothing was learned
  /// @param isAsked whether a person asked for the race
  record Adopted(Move move, double raceSeconds, boolean isByHand, boolean isAsked) {}

  Guard {
    adopted = List.copyOf(adopted);
  }

  /// {@return the same with one more challenger that won before there was a result}
  Guard and(Adopted another) {
    return new Guard(
        incumbent, metric, Stream.concat(adopted.stream(), Stream.of(another)).toList());
  }

  /// {@return what the winners ran in their races}
  double raceSeconds() {
    return adopted.stream().mapToDouble(Adopted::raceSeconds).sum();
  }

  /// {@return what was learned from races and is wrong}
  List<Move> learned() {
    return adopted.stream().filter(winner -> !winner.isByHand()).map(Adopted::move).toList();
  }

  /// {@return whether none of the races was the policy's own}
  boolean isAsked() {
    return adopted.stream().allMatch(Adopted::isAsked);
  }

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
