package dev.espalier.bench.tuning;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.Setting;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What is known of a workload on one data set: what its work costs, and how far fixed settings
/// get.
///
/// @param workload name of the workload
/// @param data the data folder's name, or `generated`
/// @param fingerprint of everything that a run depends on but cost, policy and seed
/// @param calibratedOn the machine that the cost was measured on
/// @param cost measured once
/// @param epochSeconds an epoch with the default setting, its evaluation included
/// @param budgetSeconds the full budget of a run
/// @param goal of the judging metric
/// @param metric the judging metric
/// @param startQuality of the untrained model, median over the draws
/// @param drawSeed of the random settings
/// @param draws fixed settings drawn at random, each run to the full budget
/// @param oracle the best draw again, with the seeds of the benchmark
/// @param careful the careful user's setting, with the seeds of the benchmark
record Reference(
    String workload,
    String data,
    String fingerprint,
    String calibratedOn,
    CostModel cost,
    double epochSeconds,
    double budgetSeconds,
    Goal goal,
    String metric,
    double startQuality,
    long drawSeed,
    List<Draw> draws,
    List<Repeat> oracle,
    List<Repeat> careful) {
  /// How close to the oracle the target is, as a share of the oracle's distance from the start.
  static final double TOLERANCE = 0.005;

  Reference {
    draws = List.copyOf(draws);
    oracle = List.copyOf(oracle);
    careful = List.copyOf(careful);
  }

  /// One random setting and what it came to.
  ///
  /// @param best evaluation of the run; NaN when there was none
  record Draw(
      int number,
      long seed,
      Map<String, Double> setting,
      double start,
      double best,
      String outcome) {}

  /// One run of a reference setting.
  ///
  /// @param steps evaluations that were the best so far, in order of time
  record Repeat(long seed, Map<String, Double> setting, List<RunRecord.Quality> steps) {
    public Repeat {
      steps = List.copyOf(steps);
    }

    static Repeat of(RunRecord run, Setting setting, Goal goal) {
      return new Repeat(run.seed(), Map.copyOf(setting.values()), run.steps(goal));
    }

    /// {@return the best evaluation; NaN when there was none}
    double best() {
      return steps.isEmpty() ? Double.NaN : steps.getLast().value();
    }

    /// {@return seconds to the first evaluation that reaches `target`; infinite when none does}
    double secondsTo(double target, Goal goal) {
      return steps.stream()
          .filter(quality -> quality.reaches(target, goal))
          .mapToDouble(RunRecord.Quality::seconds)
          .findFirst()
          .orElse(Double.POSITIVE_INFINITY);
    }
  }

  /// {@return the best draw; empty when none ever learned}
  Optional<Draw> bestDraw() {
    return draws.stream()
        .filter(draw -> Double.isFinite(draw.best()))
        .max((one, other) -> Double.compare(gain(one.best()), gain(other.best())));
  }

  /// {@return `quality` on an axis on which larger is better}
  double gain(double quality) {
    return goal == Goal.MAXIMIZE ? quality : -quality;
  }

  /// {@return what the best draw reaches: the median over the benchmark's seeds, since the one seed
  /// that it was chosen by was lucky more often than not}
  double oracleQuality() {
    return oracle.isEmpty()
        ? bestDraw().map(Draw::best).orElse(Double.NaN)
        : Quantiles.median(oracle.stream().map(Repeat::best).toList());
  }

  /// {@return the quality that a policy must reach}
  double target() {
    return oracleQuality() - TOLERANCE * (oracleQuality() - startQuality);
  }

  /// {@return how far `quality` is on the way from the start to the oracle: 0 at the start, 1 at
  /// the oracle's}
  double progress(double quality) {
    return (quality - startQuality) / (oracleQuality() - startQuality);
  }

  /// {@return the oracle's time to the target, median over its seeds; infinite when most of them
  /// miss it}
  double oracleSeconds() {
    return secondsToTarget(oracle);
  }

  /// {@return the careful user's time to the target; infinite when most seeds miss it}
  double carefulSeconds() {
    return secondsToTarget(careful);
  }

  private double secondsToTarget(List<Repeat> repeats) {
    return Quantiles.median(
        repeats.stream().map(repeat -> repeat.secondsTo(target(), goal)).toList());
  }

  /// {@return the careful user's quality, median over the seeds}
  double carefulQuality() {
    return Quantiles.median(careful.stream().map(Repeat::best).toList());
  }

  /// {@return this reference for runs of another length}
  Reference withBudget(double seconds) {
    return new Reference(
        workload,
        data,
        fingerprint,
        calibratedOn,
        cost,
        epochSeconds,
        seconds,
        goal,
        metric,
        startQuality,
        drawSeed,
        draws,
        oracle,
        careful);
  }

  Reference withDraws(double start, List<Draw> drawn) {
    return new Reference(
        workload,
        data,
        fingerprint,
        calibratedOn,
        cost,
        epochSeconds,
        budgetSeconds,
        goal,
        metric,
        start,
        drawSeed,
        drawn,
        oracle,
        careful);
  }

  Reference withRepeats(List<Repeat> ofOracle, List<Repeat> ofCareful) {
    return new Reference(
        workload,
        data,
        fingerprint,
        calibratedOn,
        cost,
        epochSeconds,
        budgetSeconds,
        goal,
        metric,
        startQuality,
        drawSeed,
        draws,
        ofOracle,
        ofCareful);
  }
}
