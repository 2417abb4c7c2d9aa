package dev.espalier.bench.tuning;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.Setting;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What one run of one policy came to.
///
/// @param outcome `ended` when the policy ended by itself, else why the run ended
/// @param horizonSeconds the time that the job was given
/// @param endSeconds when it ended
/// @param qualities every evaluation of the judging metric, in order of time
/// @param branches every branch, in order of its fork
/// @param tuningSeconds as the job accounts for its time
/// @param trainingSeconds as the job accounts for its time
/// @param evaluationSeconds as the job accounts for its time
/// @param cpuSeconds what the run really cost on this machine
record RunRecord(
    String workload,
    String policy,
    long seed,
    String outcome,
    double horizonSeconds,
    double endSeconds,
    List<Quality> qualities,
    List<BranchLife> branches,
    double tuningSeconds,
    double trainingSeconds,
    double evaluationSeconds,
    double cpuSeconds) {
  /// What began in time may end a little later.
  static final double GRACE = 1.05;

  RunRecord {
    qualities = List.copyOf(qualities);
    branches = List.copyOf(branches);
  }

  /// {@return a run that came to nothing}
  static RunRecord failed(
      String workload, String policy, long seed, double horizonSeconds, String outcome) {
    return new RunRecord(
        workload, policy, seed, outcome, horizonSeconds, 0, List.of(), List.of(), 0, 0, 0, 0);
  }

  /// One evaluation.
  ///
  /// @param value of the judging metric; may be NaN
  record Quality(double seconds, double value, int branch) {
    boolean reaches(double target, Goal goal) {
      return goal == Goal.MAXIMIZE ? value >= target : value <= target;
    }
  }

  /// One branch.
  ///
  /// @param parent -1 for none
  /// @param fromSeconds when it was forked
  /// @param toSeconds when it was freed, or the run ended
  /// @param ranSeconds simulated seconds of its clocks
  record BranchLife(
      int branch,
      int parent,
      String kind,
      Map<String, Double> setting,
      double fromSeconds,
      double toSeconds,
      double ranSeconds) {
    static Map<String, Double> plain(Setting setting) {
      return Map.copyOf(setting.values());
    }
  }

  /// {@return seconds to the first evaluation that reaches `target` within the horizon; infinite
  /// when none does}
  double secondsTo(double target, Goal goal) {
    return qualities.stream()
        .filter(quality -> quality.seconds() <= GRACE * horizonSeconds)
        .filter(quality -> quality.reaches(target, goal))
        .mapToDouble(Quality::seconds)
        .findFirst()
        .orElse(Double.POSITIVE_INFINITY);
  }

  /// {@return the evaluations that were the best so far, in order of time}
  List<Quality> steps(Goal goal) {
    var steps = new ArrayList<Quality>();
    for (Quality quality : qualities) {
      boolean isBest =
          steps.isEmpty()
              || (goal == Goal.MAXIMIZE
                  ? quality.value() > steps.getLast().value()
                  : quality.value() < steps.getLast().value());
      if (Double.isFinite(quality.value()) && isBest) {
        steps.add(quality);
      }
    }
    return steps;
  }

  /// {@return the best evaluation up to `seconds`; NaN when there is none}
  double bestUntil(double seconds, Goal goal) {
    var values =
        qualities.stream()
            .filter(quality -> quality.seconds() <= seconds)
            .mapToDouble(Quality::value)
            .filter(Double::isFinite);
    return (goal == Goal.MAXIMIZE ? values.max() : values.min()).orElse(Double.NaN);
  }

  /// {@return the best evaluation of the run; NaN when there is none}
  double best(Goal goal) {
    return bestUntil(Double.POSITIVE_INFINITY, goal);
  }

  /// {@return the job's own share of time spent on tuning, in [0, 1]}
  double tuningShare() {
    double all = tuningSeconds + trainingSeconds + evaluationSeconds;
    return all > 0 ? tuningSeconds / all : 0;
  }

  /// {@return forks that this run made}
  long forks() {
    return branches.stream().filter(branch -> branch.parent() >= 0).count();
  }
}
