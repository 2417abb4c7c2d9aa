package dev.espalier.tuner.core.policy.racing;

import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.job.Ending;
import dev.espalier.tuner.core.policy.job.Endings;
import dev.espalier.tuner.core.policy.race.Pace;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.Optional;

/// What the bounds of a racing job still allow its mainline.
final class Bounds {
  private final JobPlan plan;
  private final Board board;
  private final Pace pace;
  private final Mainline mainline;
  private final Validation validation;

  Bounds(Board board, Pace pace, Mainline mainline, Validation validation) {
    this.plan = board.plan();
    this.board = board;
    this.pace = pace;
    this.mainline = mainline;
    this.validation = validation;
  }

  /// {@return the end of the job where no other clock of the mainline is allowed; empty elsewhere}
  Optional<Ending> ending() {
    if (board.epochsToGo(mainline.branch()) <= Branch.EPOCH_ROUNDING) {
      return Optional.of(Endings.maxEpochs(plan.maxEpochs()));
    }
    boolean isTimeUp = plan.maxSeconds() > 0 && secondsLeft() < secondsPerClock();
    return isTimeUp || board.isTimeUp() ? Optional.of(Endings.maxSeconds(board)) : Optional.empty();
  }

  /// {@return seconds that the job's time still allows; a little is left for the last evaluation}
  double secondsLeft() {
    return plan.maxSeconds() > 0
        ? Math.max(0, plan.maxSeconds() - board.nowSeconds() - validation.expectedSeconds())
        : Double.MAX_VALUE;
  }

  /// {@return seconds that the epochs take that the job may still run; 0 while the pace is not
  /// known}
  double epochSecondsLeft() {
    return board.clocksLeft(mainline.branch()) * secondsPerClock();
  }

  private double secondsPerClock() {
    return pace.secondsPerClock(mainline.incumbent()).orElse(0.0);
  }
}
