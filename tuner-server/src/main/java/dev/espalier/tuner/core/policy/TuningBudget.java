package dev.espalier.tuner.core.policy;

/// What tuning may cost: a share of all seconds that the job's branches have used so far.
///
/// It counts everything that may turn out to be lost: all entrants of a race that runs, and their
/// probes. The winner's seconds are given back when they become the mainline's.
final class TuningBudget {
  private final Board board;
  private final double share;

  /// @param share in [0, 1)
  TuningBudget(Board board, double share) {
    this.board = board;
    this.share = share;
  }

  /// {@return whether `seconds` more of tuning keep its share within the budget}
  boolean allows(double seconds) {
    return seconds <= left();
  }

  /// {@return the seconds that tuning may use now: with them its share is the budget's}
  double left() {
    return Math.max(0, (share * board.spentSeconds() - board.tuningSeconds()) / (1 - share));
  }

  /// {@return how long the mainline must run until `seconds` of tuning are allowed; 0 when they
  /// are, infinite when they never will be}
  double secondsUntil(double seconds) {
    if (share <= 0) {
      return Double.POSITIVE_INFINITY;
    }
    double needed = (seconds * (1 - share) + board.tuningSeconds()) / share;
    return Math.max(0, needed - board.spentSeconds());
  }
}
