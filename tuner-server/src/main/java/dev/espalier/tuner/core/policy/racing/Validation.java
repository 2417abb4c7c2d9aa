package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.session.SessionEvent;

/// When a racing job's mainline is evaluated on the validation data, and what that takes.
final class Validation {
  /// How far the model is trained before the first evaluation, in passes over the data.
  private static final double FIRST_EPOCHS = 0.25;

  private final Board board;
  private final double share;
  private long running;
  private double cost = Double.NaN;
  private double lastAt;
  private long lastClock = -1;

  /// @param share of the time so far that evaluations may take, in (0, 1]
  Validation(Board board, double share) {
    this.board = board;
    this.share = share;
  }

  boolean isRunning() {
    return running != 0;
  }

  /// {@return whether evaluations so far took little enough for another}
  boolean isDue(Branch branch) {
    return Double.isNaN(cost)
        ? branch.epochs() >= FIRST_EPOCHS
        : board.spentSeconds() - lastAt >= cost / share;
  }

  /// {@return whether the state of `branch` is the one that was evaluated last}
  boolean hasSeen(Branch branch) {
    return lastClock == branch.mainlineClock();
  }

  /// {@return seconds of an evaluation; 0 before the first}
  double expectedSeconds() {
    return Double.isNaN(cost) ? 0 : cost;
  }

  void begin(Branch branch) {
    running = board.book().nextEvaluation();
    board.command(new BranchCommand.Evaluate(branch.id(), running));
  }

  /// {@return whether it is the evaluation that was begun, which is over then}
  boolean takes(SessionEvent.Evaluated event, Branch branch) {
    if (running == 0 || event.evaluation() != running) {
      return false;
    }
    running = 0;
    board.spendOnEvaluation(event.seconds());
    cost = event.seconds();
    lastAt = board.spentSeconds();
    lastClock = branch.mainlineClock();
    return true;
  }

  /// The model is the untrained one again, whose clocks count from 0.
  void beganAnew() {
    lastClock = -1;
  }

  /// The workers are gone, and with them what they evaluate.
  void forget() {
    running = 0;
    lastClock = -1;
  }
}
