package dev.espalier.tuner.core.session;

import dev.espalier.api.model.BranchId;

/// Hands out the numbers of branches, evaluations and checkpoints of one job, and counts its
/// clocks.
///
/// The only place that does: no number is ever given twice, whatever workers come and go. Not
/// thread safe.
public final class ScheduleBook {
  private int branches;
  private long evaluations;
  private long checkpoints;
  private long clocks;

  /// {@return the next branch, from `BranchId.ROOT` on}
  public BranchId nextBranch() {
    return new BranchId(branches++);
  }

  /// {@return the next evaluation, from 1 on}
  public long nextEvaluation() {
    return ++evaluations;
  }

  /// {@return the next checkpoint, from 1 on}
  public long nextCheckpoint() {
    return ++checkpoints;
  }

  /// Counts one more clock of whatever branch: the global clock (MLtuner, section 4.5).
  public void countClock() {
    clocks++;
  }

  /// {@return clocks of all branches together}
  public long clocks() {
    return clocks;
  }

  /// {@return branches handed out so far}
  public int branches() {
    return branches;
  }
}
