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

  /// Parameters lie in pages that the reader has mapped, and stay as they are until it says that it
  /// has them.
  ///
  /// @param firstRow of page 0
  /// @param rowsPerPage rows of every page but perhaps the last, >= 1
  /// @param columns floats per row, >= 1
  /// @param pages the pages in which rows were asked for, ascending, at least one
  /// @param offsets in the mapped memory of the first row of each, as many
  record Placed(long firstRow, int rowsPerPage, int columns, int[] pages, long[] offsets)
      implements ShardReply {

    /// Checks the bounds.
    public Placed {
      if (rowsPerPage < 1
          || columns < 1
          || pages.length < 1
          || pages[0] < 0
          || pages.length != offsets.length) {
        throw new IllegalArgumentException(
            "rows of %d columns, %d a page, in %d pages at %d places are no rows"
                .formatted(columns, rowsPerPage, pages.length, offsets.length));
      }
      for (int i = 1; i < pages.length; i++) {
        if (pages[i] <= pages[i - 1]) {
          throw new IllegalArgumentException("pages must ascend");
        }
      }
    }
  }

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

    /// The answer to a command that could not be served; there must be one whatever the reason.
    public static Failed of(Throwable reason) {
      PsException failure = PsException.of(reason);
      String message = failure.getMessage();
      return new Failed(failure.fault(), message == null ? failure.fault().name() : message);
    }

    /// The failure as an exception.
    public PsException toException() {
      return new PsException(fault, message);
    }
  }
}
