package dev.espalier.tuner.core.policy;

import dev.espalier.api.model.JobState;

/// How and why a job ends.
///
/// @param state one that is terminal
/// @param reason a code such as `converged`
/// @param message one sentence without its full stop
record Ending(JobState state, String reason, String message) {
  static Ending completed(String reason, String message) {
    return new Ending(JobState.COMPLETED, reason, message);
  }
}
