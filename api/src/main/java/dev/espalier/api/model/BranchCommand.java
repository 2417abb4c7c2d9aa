package dev.espalier.api.model;

/// What every worker of a job executes, in the same order.
///
/// Commands take effect at clock boundaries: all updates of the clocks scheduled before are in.
public sealed interface BranchCommand {
  /// Makes the first branch of this generation of workers from the program's initial parameters.
  record Create(BranchId branch, Setting setting) implements BranchCommand {}

  /// Makes the first branch of this generation of workers from a durable checkpoint.
  record Restore(BranchId branch, long checkpoint, Setting setting) implements BranchCommand {}

  /// Makes `branch` an exact snapshot of all state of `parent`, to run with `setting`.
  record Fork(BranchId branch, BranchId parent, BranchKind kind, Setting setting)
      implements BranchCommand {}

  /// Runs `branch` until its own clock count is `untilClock`.
  ///
  /// @param untilClock branch-internal clocks in all, not additional ones
  /// @param aloneUntilClock how far workers that lost the tuner may go on by themselves; equal to
  ///   `untilClock` for a branch that must not
  /// @param shape of the learning rate over the branch's own clocks
  record Schedule(BranchId branch, long untilClock, long aloneUntilClock, Shape shape)
      implements BranchCommand {
    /// A schedule at a constant rate.
    public Schedule(BranchId branch, long untilClock, long aloneUntilClock) {
      this(branch, untilClock, aloneUntilClock, Shape.CONSTANT);
    }

    public Schedule {
      if (aloneUntilClock < untilClock) {
        throw new IllegalArgumentException(
            "aloneUntilClock must be >= " + untilClock + " but is " + aloneUntilClock);
      }
    }
  }

  /// Measures the validation metrics of `branch` as it stands; changes nothing.
  record Evaluate(BranchId branch, long evaluation) implements BranchCommand {}

  /// Measures the training loss of `branch` on samples that are held out of training; changes
  /// nothing. The answer is an `Evaluated` with the loss of each block of samples.
  ///
  /// Branches that are asked for as many samples are measured on the same ones, so their losses are
  /// paired.
  ///
  /// @param evaluation drawn from the same numbers as those of `Evaluate`
  /// @param samples how many of the held-out samples to use, >= 1; what is too many is all of them
  record Probe(BranchId branch, long evaluation, long samples) implements BranchCommand {
    public Probe {
      if (samples < 1) {
        throw new IllegalArgumentException("samples must be >= 1 but is " + samples);
      }
    }
  }

  /// Gives the resources of `branch` back.
  record Free(BranchId branch) implements BranchCommand {}

  /// Writes `branch` to durable storage while training goes on.
  record Checkpoint(BranchId branch, long checkpoint) implements BranchCommand {}

  /// Deletes a checkpoint that lineage no longer needs.
  record DropCheckpoint(long checkpoint) implements BranchCommand {}

  /// Ends the worker in good order.
  record Stop() implements BranchCommand {}
}
