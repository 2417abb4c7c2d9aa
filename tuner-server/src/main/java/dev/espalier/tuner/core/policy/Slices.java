package dev.espalier.tuner.core.policy;

import dev.espalier.api.model.Shape;

/// Sends the clocks of a branch in slices of about two seconds, each when half of the one before is
/// reported, so workers never stand still and a request never waits long.
final class Slices {
  private static final double SECONDS = 2;

  private final Board board;
  private long from;

  Slices(Board board) {
    this.board = board;
  }

  /// Starts with a branch that is at rest.
  void begin(Branch branch) {
    from = branch.clocks();
  }

  /// Sends the next slice if it is due, for workers that must not go on by themselves.
  ///
  /// @param bound the own clock of the branch not to go beyond
  void runOn(Branch branch, long bound) {
    long until = next(branch, bound);
    if (until > branch.scheduledUntil()) {
      send(branch, until, until, Shape.CONSTANT);
    }
  }

  /// {@return the own clock that the next slice ends at; the one scheduled already when none is
  /// due}
  long next(Branch branch, long bound) {
    long half = from + (branch.scheduledUntil() - from) / 2;
    boolean isDue = branch.clocks() >= half && !board.isTimeUp();
    return isDue
        ? Math.max(
            branch.scheduledUntil(), Math.min(branch.scheduledUntil() + length(branch), bound))
        : branch.scheduledUntil();
  }

  void send(Branch branch, long until, long aloneUntil, Shape shape) {
    from = branch.scheduledUntil();
    board.schedule(branch, until, aloneUntil, shape);
  }

  private long length(Branch branch) {
    if (branch.clocks() == 0) {
      return Math.max(board.plan().options().windows(), 3);
    }
    return Math.max(1, (long) (SECONDS / branch.secondsPerClock()));
  }
}
