package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.job.History;
import dev.espalier.tuner.core.policy.racing.Snapshots.Purpose;
import java.util.List;
import java.util.Optional;

/// Leaves a path that leads no further: for the best state with a calmer rate, or for the untrained
/// model with another setting.
final class Departures {
  /// How much smaller a rate is after a retreat, and after a lap that blew up.
  static final double CALMER = 3;

  /// Of fewer results the range is hardly more than the step from one to the next.
  private static final int FEWEST_RESULTS = 3;

  private final Board board;
  private final Mainline mainline;
  private final Neighbourhood neighbourhood;
  private final NewStarts newStarts;
  private final Outlook outlook;
  private final RaceTimes times;
  private final History history;
  private final Validation validation;
  private final Safeguard safeguard;
  private final RacingDiary diary;
  private int lossesOfStart;

  Departures(
      Board board,
      Mainline mainline,
      Neighbourhood neighbourhood,
      Outlook outlook,
      RaceTimes times,
      History history,
      Validation validation,
      Safeguard safeguard,
      RacingDiary diary) {
    this.board = board;
    this.mainline = mainline;
    this.neighbourhood = neighbourhood;
    this.newStarts =
        new NewStarts(neighbourhood, board.plan().validation().goal(), mainline.incumbent());
    this.outlook = outlook;
    this.times = times;
    this.history = history;
    this.validation = validation;
    this.safeguard = safeguard;
    this.diary = diary;
  }

  // Results.

  /// Takes in a validation result of the present path.
  ///
  /// @param isRefuted whether it says that the last adoption was wrong, and nothing of the path
  void validated(History.Entry result, boolean isRefuted) {
    if (isRefuted) {
      outlook.refuted(result, range());
    } else {
      outlook.validated(result, range(), board.spentSeconds());
      newStarts.validated(mainline.incumbent(), result.value());
    }
    if (isRefuted || outlook.isFar()) {
      history.leaveLatestOutOfRange();
    }
  }

  private double range() {
    return history.size() < FEWEST_RESULTS ? Double.POSITIVE_INFINITY : history.range();
  }

  /// Leaves the present path if the outlook is bad and there is another.
  ///
  /// @param value the latest result
  /// @param leftSeconds what the job's time still allows
  /// @param isConverged whether the best is too old to hope for a better one
  /// @return whether the job goes on from somewhere else
  boolean leaveIfDue(double value, double leftSeconds, boolean isConverged) {
    return switch (outlook.verdict(board.spentSeconds(), leftSeconds, isConverged)) {
      case RETREAT -> retreat(value);
      case RESTART -> restart(value, leftSeconds) || (outlook.mayRetreat() && retreat(value));
      case GO_ON -> false;
    };
  }

  /// Back to the best state with a calmer rate.
  private boolean retreat(double value) {
    Optional<Branch> best = mainline.snapshot(Purpose.BEST);
    Optional<Setting> calmer = neighbourhood.calmer(mainline.bestSetting(), CALMER);
    if (best.isEmpty() || calmer.isEmpty()) {
      // It was lost with workers, or would be left on the same path again.
      outlook.couldNotRetreat();
      return false;
    }
    outlook.retreated();
    diary.retreat(value, mainline.incumbent(), best.get(), calmer.get());
    safeguard.goOnFrom(
        best.get(), calmer.get(), history.best().map(History.Entry::value).orElse(Double.NaN));
    return true;
  }

  /// From the untrained model, with a neighbour of the best run's setting.
  private boolean restart(double value, double leftSeconds) {
    Optional<Setting> found = isRoomForRun() ? nextStartWithin(leftSeconds) : Optional.empty();
    found.ifPresent(fresh -> beginAnew(value, fresh));
    return found.isPresent();
  }

  /// A new start needs at least the passes that led to the best.
  private boolean isRoomForRun() {
    double least = history.best().map(History.Entry::epoch).orElse(0.0);
    return board.epochsToGo(mainline.branch()) >= least;
  }

  private Optional<Setting> nextStartWithin(double leftSeconds) {
    double epochsLeft = board.epochsToGo(mainline.branch());
    double ofEpochs =
        history
            .best()
            .map(History.Entry::epoch)
            .filter(epochs -> epochs > 0)
            .map(epochs -> epochsLeft / epochs)
            .orElse(Double.POSITIVE_INFINITY);
    return nextStart(Math.min(outlook.bestsIn(leftSeconds), ofEpochs));
  }

  private Optional<Setting> nextStart(double bestsLeft) {
    return newStarts.next(mainline.incumbent(), this::isPossible, bestsLeft);
  }

  private boolean isPossible(Setting setting) {
    return board.workload().problemOf(List.of(setting)).isEmpty()
        && !neighbourhood.excluded().has(setting, board.spentSeconds());
  }

  private void beginAnew(double value, Setting fresh) {
    lossesOfStart = 0;
    outlook.restarted(board.spentSeconds());
    diary.restart(value, mainline.incumbent(), fresh);
    safeguard.leavePath(Double.NaN);
    mainline.beginAnew(fresh);
    validation.beganAnew();
    times.bestAt(board.spentSeconds());
  }

  // Workers come and go.

  /// Counts how often workers were lost in a new start.
  void lose() {
    lossesOfStart += outlook.isNewStart() ? 1 : 0;
  }

  /// Goes on after workers were lost.
  ///
  /// A new start that has no checkpoint yet begins once more; a person may go back to any start.
  ///
  /// @param last the checkpoint to go on from; empty when there is none
  /// @param chosen the setting of the checkpoint, if a person went back to it
  void resume(Optional<Checkpoints.Mark> last, Optional<Setting> chosen) {
    chosen.ifPresent(this::goOnWith);
    Optional<Checkpoints.Mark> from =
        last.filter(mark -> chosen.isPresent() || !mainline.hasGivenUp(mark));
    if (from.isPresent()) {
      lossesOfStart = 0;
      mainline.restore(from.get());
      safeguard.leavePath(history.latest());
    } else if (last.isPresent() && lossesOfStart > 1) {
      giveStartUp(last.get());
    } else {
      mainline.create();
    }
  }

  /// Workers were lost in a new start again and again, maybe for its setting: another one, or the
  /// model that was there before.
  private void giveStartUp(Checkpoints.Mark before) {
    Optional<Setting> other = nextStart(Double.POSITIVE_INFINITY);
    diary.giveUp(mainline.incumbent(), lossesOfStart, other.orElse(before.setting()));
    lossesOfStart = 0;
    if (other.isPresent()) {
      mainline.trainWith(other.get());
      mainline.create();
    } else {
      goOnWith(before.setting());
      mainline.restore(before);
    }
  }

  /// What is best is to be found again from there.
  private void goOnWith(Setting restored) {
    mainline.trainWith(restored);
    safeguard.leavePath(Double.NaN);
    times.bestAt(board.spentSeconds());
    outlook.wentBack(board.spentSeconds());
  }
}
