package dev.espalier.bench.tuning;

import dev.espalier.api.model.Goal;
import java.util.Collection;
import java.util.List;
import java.util.function.ToDoubleFunction;

/// How one policy did on one workload, over its seeds.
///
/// Times are in simulated seconds, or in seconds of the wall clock with `--wall`; a run that missed
/// the target counts as infinite.
///
/// @param seeds runs
/// @param reached runs that reached the target
/// @param seconds to the target, median
/// @param worstSeconds to the target, of the slowest seed
/// @param overOracle median time over the oracle's
/// @param worstOverOracle slowest time over the oracle's
/// @param overDefault median time over the careful user's; where that user never arrives, over the
///   full budget, which is then an upper bound
/// @param quality best of a run, median
/// @param worstQuality best of the worst run
/// @param progress of the median quality from the start (0) to the oracle's (1)
/// @param tuningShare the job's own, median
/// @param worstTuningShare the job's own, largest
/// @param forks median
/// @param horizonSeconds the time that each run was given
record Standing(
    String workload,
    String policy,
    int seeds,
    int reached,
    double seconds,
    double worstSeconds,
    double overOracle,
    double worstOverOracle,
    double overDefault,
    double quality,
    double worstQuality,
    double progress,
    double tuningShare,
    double worstTuningShare,
    double forks,
    double horizonSeconds) {
  /// {@return the standing of one policy}
  ///
  /// @param runs of one policy on one workload, one for each seed
  static Standing of(Reference reference, List<RunRecord> runs) {
    Goal goal = reference.goal();
    List<Double> seconds = values(runs, run -> run.secondsTo(reference.target(), goal));
    List<Double> qualities =
        values(runs, run -> run.bestUntil(RunRecord.GRACE * reference.budgetSeconds(), goal));
    double median = Quantiles.median(seconds);
    double worst = largest(seconds);
    double quality = Quantiles.median(qualities);
    double carefulSeconds = reference.carefulSeconds();
    return new Standing(
        runs.getFirst().workload(),
        runs.getFirst().policy(),
        runs.size(),
        (int) seconds.stream().filter(Double::isFinite).count(),
        median,
        worst,
        median / reference.oracleSeconds(),
        worst / reference.oracleSeconds(),
        median / Math.min(carefulSeconds, reference.budgetSeconds()),
        quality,
        goal == Goal.MAXIMIZE ? smallest(qualities) : largest(qualities),
        reference.progress(quality),
        Quantiles.median(values(runs, RunRecord::tuningShare)),
        largest(values(runs, RunRecord::tuningShare)),
        Quantiles.median(values(runs, RunRecord::forks)),
        Quantiles.median(values(runs, RunRecord::horizonSeconds)));
  }

  private static List<Double> values(List<RunRecord> runs, ToDoubleFunction<RunRecord> figure) {
    return runs.stream().map(figure::applyAsDouble).toList();
  }

  private static double largest(Collection<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).max().orElse(Double.NaN);
  }

  private static double smallest(Collection<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).min().orElse(Double.NaN);
  }
}
