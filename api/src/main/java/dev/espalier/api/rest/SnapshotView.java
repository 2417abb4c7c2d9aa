package dev.espalier.api.rest;

import dev.espalier.api.model.SnapshotState;
import java.time.Instant;
import java.util.Map;

/// A durable snapshot of the mainline as the API shows it.
///
/// @param snapshot its number in the job, from 1
/// @param branch the branch that was saved
/// @param start that it belongs to, from 1
/// @param epoch passes over the training data in that start
/// @param setting what it ran with
/// @param sizeBytes over all workers; 0 before it is written
/// @param pinned whether it is kept for good
/// @param createTime when it was asked for
public record SnapshotView(
    long snapshot,
    int branch,
    int start,
    long mainlineClock,
    double epoch,
    Map<String, Double> setting,
    SnapshotState state,
    long sizeBytes,
    boolean pinned,
    Instant createTime) {
  /// {@return whether a snapshot can be read from a disk}
  public static boolean isReady(SnapshotView snapshot) {
    return snapshot.state() == SnapshotState.READY;
  }
}
