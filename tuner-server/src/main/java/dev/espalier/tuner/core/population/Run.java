package dev.espalier.tuner.core.population;

import static java.util.Objects.requireNonNull;

import dev.espalier.api.model.Setting;
import java.util.Comparator;
import java.util.List;

/// One training run of a population, as its planner sees it.
///
/// @param number from 1, in the order of starts
/// @param member the member of the population that it continues; its own number unless it took
///   another run's place
/// @param setting values of the searched tunables
/// @param startEpochs passes over the data that it was forked after; 0 for one from the beginning
/// @param results at rising epochs; those of the run it was forked from are not among them
/// @param hasDiverged whether its loss overflowed; it is never continued then
public record Run(
    int number,
    int member,
    Setting setting,
    double startEpochs,
    List<Result> results,
    boolean hasDiverged) {
  /// Epochs are sums of fractions; this much is rounding.
  public static final double ROUNDING = 1e-6;

  public Run {
    requireNonNull(setting, "setting");
    results = List.copyOf(results);
  }

  /// What a validation said.
  ///
  /// @param epochs passes over the data at that time
  /// @param score the higher the better: the metric, negated where small is good; NaN counts as
  ///   worse than any number
  public record Result(double epochs, double score) {}

  /// {@return passes over the data up to the last result}
  public double epochs() {
    return results.isEmpty() ? startEpochs : results.getLast().epochs();
  }

  boolean hasReached(double epochs) {
    return hasDiverged || epochs() >= epochs - ROUNDING;
  }

  /// {@return the first result at `epochs` or later: a run that was to train so far ends with the
  /// clock that takes it there, a little beyond; minus infinity when there is none}
  double scoreAt(double epochs) {
    return results.stream()
        .filter(result -> result.epochs() >= epochs - ROUNDING)
        .findFirst()
        .map(result -> ordered(result.score()))
        .orElse(Double.NEGATIVE_INFINITY);
  }

  /// {@return the last result at `epochs` or before, or the first one where all are later; minus
  /// infinity when there is none or it diverged}
  double scoreUpTo(double epochs) {
    if (hasDiverged || results.isEmpty()) {
      return Double.NEGATIVE_INFINITY;
    }
    return results.stream()
        .filter(result -> result.epochs() <= epochs + ROUNDING)
        .reduce((_, later) -> later)
        .map(result -> ordered(result.score()))
        .orElse(ordered(results.getFirst().score()));
  }

  /// {@return the best result; minus infinity when there is none}
  public double bestScore() {
    return results.stream()
        .mapToDouble(result -> ordered(result.score()))
        .max()
        .orElse(Double.NEGATIVE_INFINITY);
  }

  private static double ordered(double score) {
    return Double.isNaN(score) ? Double.NEGATIVE_INFINITY : score;
  }

  /// {@return best at `epochs` first; the earlier run where two are equal}
  static Comparator<Run> bestFirst(double epochs) {
    return Comparator.comparingDouble((Run run) -> -run.scoreAt(epochs))
        .thenComparingInt(Run::number);
  }
}
