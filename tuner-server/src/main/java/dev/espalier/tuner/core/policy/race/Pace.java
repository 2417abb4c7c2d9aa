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
/// The first clocks of a process are slow and other things run beside it, so what was learned
/// counts half as much with each time that something new is; a clock counts as any other. Learning
/// rate and momentum do not change it, so settings that differ in nothing else share it.
public final class Pace {
  private static final double MEMORY = 0.5;

  /// How much longer than in proportion to its batch, or shorter than with a smaller one, a clock
  /// may be said to take before that is taken for what else the machine did.
  private static final double SLACK = 1.25;

  private final Map<Setting, Run> runs = new HashMap<>();
  private final Map<BranchId, Run> learned = new HashMap<>();
  private final Optional<Reference> reference;
  private double secondsPerProbedSample = Double.NaN;

  /// What is known of no branch yet.
  public Pace() {
    this(Optional.empty());
  }

  private Pace(Optional<Reference> reference) {
    this.reference = reference;
  }

  /// The setting whose pace is known best.
  private record Reference(Setting setting, Workload workload) {}

  private record Run(double clocks, double seconds) {
    static final Run NOTHING = new Run(0, 0);

    Run since(Run before) {
      return new Run(clocks - before.clocks, seconds - before.seconds);
    }

    Run then(Run latest) {
      return new Run(MEMORY * clocks + latest.clocks, MEMORY * seconds + latest.seconds);
    }

    double secondsPerClock() {
      return Math.max(seconds / clocks, Branch.SHORTEST_CLOCK_SECONDS);
    }
  }

  /// {@return what is known of clocks now, by which a rung is planned: settings of one pace get
  /// equally many, whatever the machine does while the rung runs}
  ///
  /// Of settings that differ from the one that is known best by their batch size, no more is
  /// believed than is plausible: a clock takes no longer than in proportion to that, and with a
  /// larger one no less. What it learns itself, of a setting that was not known, the original is to
  /// be told, too.
  ///
  /// @param known the setting whose pace is known best
  Pace frozen(Setting known, Workload workload) {
    var frozen = new Pace(Optional.of(new Reference(known, workload)));
    frozen.runs.putAll(runs);
    return frozen;
  }

  private static Setting key(Setting setting) {
    return setting.with(Tunable.LEARNING_RATE, 0).with(Tunable.MOMENTUM, 0);
  }

  /// Takes in what a branch has run since it was last learned from.
  public void learn(Branch branch) {
    var now = new Run(branch.clocks(), branch.seconds());
    Run before = Objects.requireNonNullElse(learned.put(branch.id(), now), Run.NOTHING);
    if (now.clocks() > before.clocks()) {
      runs.merge(key(branch.setting()), now.since(before), Run::then);
    }
  }

  void learnProbe(double seconds, long samples) {
    if (samples > 0) {
      secondsPerProbedSample = seconds / samples;
    }
  }

  /// {@return seconds of a clock; empty when no branch ran with such a setting}
  public Optional<Double> secondsPerClock(Setting setting) {
    return measured(setting).map(seconds -> plausible(seconds, setting));
  }

  private Optional<Double> measured(Setting setting) {
    return Optional.ofNullable(runs.get(key(setting))).map(Run::secondsPerClock);
  }

  private double plausible(double seconds, Setting setting) {
    return reference
        .filter(known -> withoutBatch(known.setting()).equals(withoutBatch(setting)))
        .flatMap(known ->
            measured(known.setting())
                .map(per -> {
                  double ratio = batchRatio(setting, known.setting(), known.workload());
                  double least = Math.min(1, ratio) / SLACK;
                  double most = Math.max(1, ratio) * SLACK;
                  return ratio == 1 ? per : Math.clamp(seconds, least * per, most * per);
                }))
        .orElse(seconds);
  }

  private static double batchRatio(Setting one, Setting other, Workload workload) {
    return (double) workload.batchSize(one) / workload.batchSize(other);
  }

  /// {@return the most that a clock of a setting can take, as others let expect that differ from it
  /// by their batch size, at most in proportion to that; empty where none ran}
  Optional<Double> mostSecondsPerClock(Setting setting, Workload workload) {
    Setting rest = withoutBatch(setting);
    return runs.entrySet().stream()
        .filter(known -> withoutBatch(known.getKey()).equals(rest))
        .map(known ->
            known.getValue().secondsPerClock()
                * Math.max(1, batchRatio(setting, known.getKey(), workload)))
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
