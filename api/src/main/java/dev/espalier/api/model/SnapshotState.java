package dev.espalier.api.model;

/// Where a durable snapshot of the mainline stands.
public enum SnapshotState {
  /// Asked for; workers write it.
  WRITING,
  /// Durable at all workers: training can go back to it.
  READY,
  /// Could not be written, or was given up with the workers that wrote it.
  FAILED,
  /// Deleted, because enough newer ones are durable.
  DROPPED
}
