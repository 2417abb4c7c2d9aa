package dev.espalier.tuner.core.policy.job;

import dev.espalier.api.model.JobState;

/// How and why a job ends.
///
/// @param state one that is terminal
/// @param reason a code such as `converged`
/// @param message one sentence without its full stop
public record Ending(JobState state, String reason, String message) {
  /// {@return the end of a job that did what it was asked to}
  public static Ending completed(String reason, String message) {
    return new Ending(JobState.COMPLETED, reason, message);
  }

  /// {@return the end of a job that came to nothing}
  public static Ending failed(String reason, String message) {
    return new Ending(JobState.FAILED, reason, message);
  }
}
