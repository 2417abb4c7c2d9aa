package dev.espalier.tuner.core.policy.race;

import dev.espalier.tuner.core.policy.board.Board;

/// What tuning may cost: a share of all seconds that the job's branches have used so far.
///
/// It counts what is lost: the losers of a race, and all probes. While a race runs it is not known
/// who loses; what each entrant that is left has run in any case is not counted for one of them,
/// since one is kept. The winner's seconds become the mainline's when the race is over.
public final class TuningBudget {
  private final Board board;
  private final double share;

  /// @param share in [0, 1)
  public TuningBudget(Board board, double share) {
    this.board = board;
    this.share = share;
  }

  /// {@return whether `seconds` more of tuning keep its share within the budget}
  ///
  /// @param kept seconds of all tuning, those included, that will be training whoever wins
  boolean allows(double seconds, double kept) {
    double lost = board.tuningSeconds() + seconds - kept;
    return lost <= share * (board.spentSeconds() + seconds);
  }

  /// {@return the seconds that tuning may lose now: with them its share is the budget's}
  public double left() {
    return Math.max(0, (share * board.spentSeconds() - board.tuningSeconds()) / (1 - share));
  }

  /// {@return how long the mainline must run until `seconds` of tuning are allowed; 0 when they
  /// are, infinite when they never will be}
  public double secondsUntil(double seconds) {
    if (share <= 0) {
      return Double.POSITIVE_INFINITY;
    }
    double needed = (seconds * (1 - share) + board.tuningSeconds()) / share;
    return Math.max(0, needed - board.spentSeconds());
  }
}
