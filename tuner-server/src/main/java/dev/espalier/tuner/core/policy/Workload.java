package dev.espalier.tuner.core.policy;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import java.util.Collection;
import java.util.Optional;

/// How much one clock is of one epoch.
///
/// @param workers >= 1
/// @param trainingSamples samples of one epoch over all workers
/// @param defaultBatchSize samples per worker and clock where a setting names none
/// @param heldOutSamples training samples that are kept from training to judge branches by, >= 0
record Workload(int workers, long trainingSamples, int defaultBatchSize, long heldOutSamples) {
  /// {@return samples per worker and clock}
  long batchSize(Setting setting) {
    return Math.round(setting.valueOr(Tunable.BATCH_SIZE, defaultBatchSize));
  }

  /// {@return ceil(trainingSamples / (workers x batchSize)), at least 1}
  long clocksPerEpoch(Setting setting) {
    long samplesPerClock = Math.max(1, workers * batchSize(setting));
    return Math.max(1, Math.ceilDiv(trainingSamples, samplesPerClock));
  }

  /// {@return what is wrong with the largest batch size of `settings`; empty when nothing is}
  Optional<String> problemOf(Collection<Setting> settings) {
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
