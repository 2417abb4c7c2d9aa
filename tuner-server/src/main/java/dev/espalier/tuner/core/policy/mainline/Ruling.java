package dev.espalier.tuner.core.policy.mainline;

import dev.espalier.tuner.core.policy.job.Ending;

/// What follows from a validation result.
sealed interface Ruling {
  /// Train on.
  record GoOn() implements Ruling {}

  /// Tune again.
  record Retune() implements Ruling {}

  /// The job is done.
  record End(Ending ending) implements Ruling {}
}
