package dev.espalier.ps.fault;

/// What can go wrong in the parameter server.
public enum PsFault {
  /// The pages a command needs do not fit into the memory budget.
  OUT_OF_MEMORY_BUDGET,
  /// The branch was never created here, or has been freed.
  NO_SUCH_BRANCH,
  /// The number of a new branch is already taken; numbers are never used twice.
  BRANCH_EXISTS,
  /// A worker skipped a clock, or read ahead of its own updates.
  CLOCK_ORDER,
  /// Workers disagree about the staleness or the step size of one clock.
  INCONSISTENT_SETTING,
  /// A request names a table, row or worker that does not exist, or has the wrong shape.
  BAD_REQUEST,
  /// Bytes that came over the wire are not a frame of this version.
  BAD_FRAME,
  /// A shard cannot be reached.
  LINK_LOST,
  /// Something awaited did not happen in time; the message names it.
  TIMED_OUT,
  /// The waiting thread was interrupted.
  INTERRUPTED,
  /// A checkpoint file is not what it should be.
  CHECKPOINT_CORRUPT,
  /// A checkpoint could not be written.
  CHECKPOINT_FAILED,
  /// A checkpoint file is there, but this process cannot open it; another one may.
  CHECKPOINT_UNREADABLE,
  /// The parameter server or session has been closed.
  CLOSED,
  /// A fault of the parameter server itself.
  INTERNAL,
  /// A device cannot be used, or a call of its driver failed; the message names it.
  DEVICE_FAILED
}
