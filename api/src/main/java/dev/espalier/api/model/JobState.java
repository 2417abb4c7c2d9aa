package dev.espalier.api.model;

/// The states of a job.
public enum JobState {
  QUEUED,
  STARTING,
  TUNING,
  TRAINING,
  PAUSED,
  STOPPING,
  COMPLETED,
  CANCELED,
  FAILED;

  /// {@return whether the job has ended for good}
  public boolean isTerminal() {
    return this == COMPLETED || this == CANCELED || this == FAILED;
  }
}
