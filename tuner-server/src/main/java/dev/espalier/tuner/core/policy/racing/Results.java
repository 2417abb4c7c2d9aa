package dev.espalier.tuner.core.policy.racing;

import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.job.History;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;

/// The validation results of a racing job: kept, shown, and the state of the best one saved.
final class Results {
  /// By which part of itself a loss must fall where the metric does not get better.
  private static final double LEAST_GAIN = 0.01;

  private static final History.Entry NOTHING = new History.Entry(0, 0, 0, Double.NaN);

  private final Board board;
  private final Checkpoints checkpoints;
  private final Mainline mainline;
  private final RaceTimes times;
  private final History history;

  /// The last best that was a gain.
  private History.Entry noted = NOTHING;

  Results(
      Board board, Checkpoints checkpoints, Mainline mainline, RaceTimes times, History history) {
    this.board = board;
    this.checkpoints = checkpoints;
    this.mainline = mainline;
    this.times = times;
    this.history = history;
  }

  /// Workers were lost, and with them results that may come again, and are gains then as before.
  void resumed() {
    noted = NOTHING;
  }

  /// Takes in a result of the mainline as it stands, and saves that if it is the best.
  ///
  /// @return it; its value is NaN where the metric that judges the model could not be computed
  History.Entry take(SessionEvent.Evaluated event) {
    Branch branch = mainline.branch();
    var result =
        new History.Entry(
            branch.start().number(),
            branch.mainlineClock(),
            branch.epochs(),
            board.plan().judged(event.metrics()),
            event.loss());
    boolean isBest = isBest(result);
    history.add(result);
    branch.validated(board.plan().validation(), result.value());
    board.emit(
        new SessionEffect.MainlineEvaluated(
            branch.id(),
            branch.mainlineClock(),
            branch.epochs(),
            event.atSeconds(),
            event.metrics()));
    board.changed(branch, branch.state());
    mainline.validated(isBest);
    if (isBest) {
      noteBest(result);
      saveAsResult(result.value());
    }
    return result;
  }

  /// Of equal results with ever smaller losses not each shows that the job still learns: the loss
  /// of one that knows all its samples falls for ever.
  private void noteBest(History.Entry result) {
    boolean isGain =
        result.value() != noted.value()
            || result.loss() < noted.loss() - LEAST_GAIN * Math.abs(noted.loss());
    if (isGain) {
      noted = result;
      times.bestAt(board.spentSeconds());
    }
  }

  private boolean isBest(History.Entry result) {
    return !Double.isNaN(result.value())
        && history.best().map(best -> history.isBetter(result, best)).orElse(true);
  }

  /// Asks for a checkpoint of the mainline, which goes on from the state that was evaluated, unless
  /// one is being written: the best one's, or one before it.
  void goesOn() {
    if (!checkpoints.isAnyPending()) {
      save();
    }
  }

  /// Asks for a checkpoint of the mainline as it stands.
  void save() {
    Branch branch = mainline.branch();
    checkpoints.request(branch, history.size(), branch.wholeEpochs());
  }

  /// Makes the mainline as it stands the job's result.
  ///
  /// @param value may be NaN
  void saveAsResult(double value) {
    saveAsResult(mainline.branch(), value, history.size());
  }

  /// Saves the best state once more where its checkpoint was lost and workers still hold it.
  void saveLostBest() {
    if (checkpoints.isBestLost()) {
      history
          .best()
          .ifPresent(best ->
              mainline
                  .best()
                  .ifPresent(branch -> saveAsResult(branch, best.value(), history.sizeUpTo(best))));
    }
  }

  /// @param evaluations results up to that state, its own among them
  private void saveAsResult(Branch branch, double value, int evaluations) {
    checkpoints.requestBest(branch, value, evaluations, branch.wholeEpochs());
  }
}
