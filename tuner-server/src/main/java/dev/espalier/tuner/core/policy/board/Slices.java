package dev.espalier.tuner.core.policy.board;

import dev.espalier.api.model.Shape;

/// Sends the clocks of a branch in slices of about two seconds, each when half of the one before is
/// reported, so workers never stand still and a request never waits long.
public final class Slices {
  /// How far workers that lost their tuner train a mainline on, in passes over the data.
  public static final double ALONE_EPOCHS = 10;

  private static final double SECONDS = 2;

  private final Board board;
  private long from;

  public Slices(Board board) {
    this.board = board;
  }

  /// Starts with a branch that is at rest.
  public void begin(Branch branch) {
    from = branch.clocks();
  }

  /// Sends the next slice if it is due, for workers that must not go on by themselves.
  ///
  /// @param bound the own clock of the branch not to go beyond
  public void runOn(Branch branch, long bound) {
    long until = next(branch, bound);
    if (until > branch.scheduledUntil()) {
      send(branch, until, until, Shape.CONSTANT);
    }
  }

  /// {@return the own clock that the next slice ends at; the one scheduled already when none is
  /// due}
  public long next(Branch branch, long bound) {
    long half = from + (branch.scheduledUntil() - from) / 2;
    boolean isDue = branch.clocks() >= half && !board.isTimeUp();
    return isDue
        ? Math.max(
            branch.scheduledUntil(), Math.min(branch.scheduledUntil() + length(branch), bound))
        : branch.scheduledUntil();
  }

  /// Sends a slice that ends at an own clock.
  ///
  /// @param aloneUntil how far workers may go on by themselves when they lose the tuner
  /// @param shape of the rate, over own clocks
  public void send(Branch branch, long until, long aloneUntil, Shape shape) {
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
