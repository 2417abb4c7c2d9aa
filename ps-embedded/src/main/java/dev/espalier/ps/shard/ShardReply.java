package dev.espalier.ps.shard;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;

/// What a shard answers.
public sealed interface ShardReply {

  /// Done, or for a push: accepted.
  record Acknowledged() implements ShardReply {}

  /// Parameters in the order of the rows asked for.
  ///
  /// @param values `rows x columns`
  record Rows(float[] values) implements ShardReply {}

  /// Parameters are where the reader wanted them.
  ///
  /// @param rows how many
  record Delivered(int rows) implements ShardReply {}

  /// What became of a barrier.
  ///
  /// @param completed whether all workers had voted
  record BarrierState(boolean completed) implements ShardReply {}

  /// A snapshot is pinned.
  ///
  /// @param ticket by which the owner of the shard takes it
  record SnapshotTaken(long ticket) implements ShardReply {}

  /// What a worker's commands are waiting for.
  ///
  /// @param text one line, empty when they wait for nothing
  record Explanation(String text) implements ShardReply {}

  /// The command failed and changed nothing, unless the message says otherwise.
  ///
  /// @param fault its class
  /// @param message what happened
  record Failed(PsFault fault, String message) implements ShardReply {

    /// The failure as an exception.
    public PsException toException() {
      return new PsException(fault, message);
    }
  }
}
