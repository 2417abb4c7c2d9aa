package dev.espalier.tuner.core.policy.race;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Workload;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// How long a clock takes, as learned from branches that ran.
///
/// The first clocks of a process are slow and other things run beside it, so what was learned last
/// counts as much as all before it. Learning rate and momentum do not change it, so settings that
/// differ in nothing else share it.
public final class Pace {
  private static final double MEMORY = 0.5;

  private final Map<Setting, Double> secondsPerClock = new HashMap<>();
  private final Map<BranchId, Run> learned = new HashMap<>();
  private double secondsPerProbedSample = Double.NaN;

  /// What a branch had run when it was last learned from.
  private record Run(long clocks, double seconds) {
    static final Run NOTHING = new Run(0, 0);
  }

  private static Setting key(Setting setting) {
    return setting.with(Tunable.LEARNING_RATE, 0).with(Tunable.MOMENTUM, 0);
  }

  /// Takes in what a branch has run since it was last learned from.
  public void learn(Branch branch) {
    var now = new Run(branch.clocks(), branch.seconds());
    Run before = Objects.requireNonNullElse(learned.put(branch.id(), now), Run.NOTHING);
    if (now.clocks() > before.clocks()) {
      double seconds = (now.seconds() - before.seconds()) / (now.clocks() - before.clocks());
      secondsPerClock.merge(
          key(branch.setting()),
          Math.max(seconds, Branch.SHORTEST_CLOCK_SECONDS),
          (old, latest) -> MEMORY * old + (1 - MEMORY) * latest);
    }
  }

  void learnProbe(double seconds, long samples) {
    if (samples > 0) {
      secondsPerProbedSample = seconds / samples;
    }
  }

  /// {@return seconds of a clock; empty when no branch ran with such a setting}
  public Optional<Double> secondsPerClock(Setting setting) {
    return Optional.ofNullable(secondsPerClock.get(key(setting)));
  }

  /// {@return the most that a clock of a setting can take, as others let expect that differ from it
  /// by their batch size, at most in proportion to that; empty where none ran}
  Optional<Double> mostSecondsPerClock(Setting setting, Workload workload) {
    Setting rest = withoutBatch(setting);
    return secondsPerClock.entrySet().stream()
        .filter(known -> withoutBatch(known.getKey()).equals(rest))
        .map(known ->
            known.getValue()
                * Math.max(
                    1, (double) workload.batchSize(setting) / workload.batchSize(known.getKey())))
        .min(Double::compare);
  }

  private static Setting withoutBatch(Setting setting) {
    return key(setting).with(Tunable.BATCH_SIZE, 0);
  }

  /// {@return seconds of a probe with so many samples; before the first probe what as many samples
  /// take to train on}
  public double secondsOfProbe(long samples, Setting setting, Workload workload) {
    double perSample =
        Double.isNaN(secondsPerProbedSample)
            ? secondsPerClock(setting).orElse(0.0)
                / (workload.batchSize(setting) * workload.workers())
            : secondsPerProbedSample;
    return perSample * samples;
  }
}
