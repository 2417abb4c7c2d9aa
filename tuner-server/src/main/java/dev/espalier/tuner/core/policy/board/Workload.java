package dev.espalier.tuner.core.policy.board;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/// How much one clock is of one epoch.
///
/// @param workers >= 1
/// @param trainingSamples samples of one epoch over all workers
/// @param defaultBatchSize samples per worker and clock where a setting names none
/// @param probeSamples samples to judge branches by, none of which is trained on, >= 0
public record Workload(int workers, long trainingSamples, int defaultBatchSize, long probeSamples) {
  /// {@return settings with the default and the largest batch size of a space}
  public static List<Setting> extremeSettings(SearchSpace space, Setting first) {
    return space.tunables().stream()
        .filter(tunable -> tunable.name().equals(Tunable.BATCH_SIZE))
        .findFirst()
        .map(tunable -> List.of(first, first.with(tunable.name(), tunable.fromUnit(1))))
        .orElse(List.of(first));
  }

  /// {@return whether another has as many samples to train on and to judge by}
  boolean hasSameData(Workload other) {
    return trainingSamples == other.trainingSamples && probeSamples == other.probeSamples;
  }

  String dataInWords() {
    return Words.count(trainingSamples, "training sample")
        + " and "
        + Words.count(probeSamples, "sample")
        + " to judge by";
  }

  /// {@return samples per worker and clock}
  public long batchSize(Setting setting) {
    return Math.round(setting.valueOr(Tunable.BATCH_SIZE, defaultBatchSize));
  }

  /// {@return ceil(trainingSamples / (workers x batchSize)), at least 1}
  public long clocksPerEpoch(Setting setting) {
    long samplesPerClock = Math.max(1, workers * batchSize(setting));
    return Math.max(1, Math.ceilDiv(trainingSamples, samplesPerClock));
  }

  /// {@return what is wrong with the largest batch size of `settings`; empty when nothing is}
  public Optional<String> problemOf(Collection<Setting> settings) {
    long batchSize = settings.stream().mapToLong(this::batchSize).max().orElse(defaultBatchSize);
    long samples = workers * batchSize;
    if (samples <= trainingSamples) {
      return Optional.empty();
    }
    return Optional.of(
        "batchSize "
            + batchSize
            + " at "
            + Words.count(workers, "worker")
            + " is "
            + samples
            + " samples a clock, but must be <= "
            + trainingSamples
            + ", the number of training samples");
  }
}
