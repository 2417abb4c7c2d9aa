package dev.espalier.tuner.core.policy;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// How long a clock takes, as learned from branches that ran.
///
/// Learning rate and momentum do not change it, so settings that differ in nothing else share it.
final class Pace {
  private static final double MEMORY = 0.7;

  private final Map<Setting, Double> secondsPerClock = new HashMap<>();
  private double secondsPerProbedSample = Double.NaN;

  private static Setting key(Setting setting) {
    return setting.with(Tunable.LEARNING_RATE, 0).with(Tunable.MOMENTUM, 0);
  }

  /// Takes in what a branch has run so far.
  void learn(Branch branch) {
    if (branch.clocks() > 0) {
      secondsPerClock.merge(
          key(branch.setting()),
          branch.secondsPerClock(),
          (old, now) -> MEMORY * old + (1 - MEMORY) * now);
    }
  }

  void learnProbe(double seconds, long samples) {
    if (samples > 0) {
      secondsPerProbedSample = seconds / samples;
    }
  }

  Optional<Double> secondsPerClock(Setting setting) {
    return Optional.ofNullable(secondsPerClock.get(key(setting)));
  }

  /// {@return seconds of a probe with so many samples; before the first probe what as many samples
  /// take to train on}
  double secondsOfProbe(long samples, Setting setting, Workload workload) {
    double perSample =
        Double.isNaN(secondsPerProbedSample)
            ? secondsPerClock(setting).orElse(0.0)
                / (workload.batchSize(setting) * workload.workers())
            : secondsPerProbedSample;
    return perSample * samples;
  }
}
