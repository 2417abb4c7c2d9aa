package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.policy.job.History;
import dev.espalier.tuner.core.policy.race.Entrant;
import dev.espalier.tuner.core.policy.racing.Snapshots.Purpose;
import java.util.List;
import java.util.Optional;

/// Undoes what went wrong: a lap that blew up, and an adoption that the validation data refute.
final class Safeguard {
  private static final int MAX_ROLL_BACKS_IN_A_ROW = 12;

  private final Board board;
  private final Mainline mainline;
  private final Neighbourhood neighbourhood;
  private final RacePlanner planner;
  private final RaceTimes times;
  private final History history;
  private final RacingDiary diary;
  private final LapLosses losses;
  private Optional<Guard> guard = Optional.empty();

  /// The last validation result of the path that the mainline is on; NaN for none.
  private double metric = Double.NaN;

  private int rollBacksInARow;

  Safeguard(
      Board board,
      Mainline mainline,
      Neighbourhood neighbourhood,
      RacePlanner planner,
      RaceTimes times,
      History history,
      RacingDiary diary) {
    this.board = board;
    this.mainline = mainline;
    this.neighbourhood = neighbourhood;
    this.planner = planner;
    this.times = times;
    this.history = history;
    this.diary = diary;
    this.losses = new LapLosses(board.plan().racing().spike());
  }

  /// What was known of the present path does not hold for the one that is taken now.
  ///
  /// @param result the validation result of the state that is gone on from; NaN where there is none
  void leavePath(double result) {
    guard = Optional.empty();
    losses.leavePath();
    metric = result;
  }

  /// Leaves the present path for a child of a snapshot.
  ///
  /// @param result the snapshot's validation result, or the last one before it
  void goOnFrom(Branch from, Setting setting, double result) {
    leavePath(result);
    mainline.goBackTo(from, setting);
  }

  // Laps.

  /// Takes in a lap that is over.
  ///
  /// @return what is wrong with it, in words; empty when nothing is
  Optional<String> lapOver(Branch branch) {
    double loss = branch.recentLoss();
    if (losses.isSpike(loss)) {
      return Optional.of(
          "The training loss rose from "
              + Words.number(losses.before())
              + " to "
              + Words.number(loss));
    }
    losses.keep(loss);
    rollBacksInARow = 0;
    return Optional.empty();
  }

  /// Undoes a lap that blew up: back to the snapshot it began from, with a smaller rate.
  ///
  /// @param what happened, in words
  /// @return why that is impossible, in words; empty when it is done
  Optional<String> rollBack(Branch branch, String what) {
    Optional<Branch> good = mainline.snapshot(Purpose.LAST_GOOD);
    rollBacksInARow++;
    if (good.isEmpty() || rollBacksInARow > MAX_ROLL_BACKS_IN_A_ROW) {
      return Optional.of(what);
    }
    neighbourhood.excluded().add(branch.setting(), times.exclusionEnd(board.spentSeconds()));
    Optional<Setting> calmer =
        guard
            .map(Guard::incumbent)
            .filter(before -> !neighbourhood.excluded().has(before, board.spentSeconds()))
            .or(() -> neighbourhood.calmer(branch.setting(), Departures.CALMER));
    if (calmer.isEmpty()) {
      return Optional.of(what + ", and there is no smaller learning rate to try");
    }
    diary.rollBack(what, branch, good.get(), calmer.get());
    goOnFrom(good.get(), calmer.get(), metric);
    return Optional.empty();
  }

  // Adoptions.

  /// Goes on with the winner of a race, on trial until the validation data agree.
  ///
  /// The parent stays as the snapshot to go back to.
  ///
  /// @param isByHand whether a person chose it
  /// @param isAsked whether a person asked for the race
  void adopt(Entrant winner, boolean isByHand, boolean isAsked) {
    Optional<Guard.Adopted> won =
        winner
            .move()
            .map(move -> new Guard.Adopted(move, winner.branch().seconds(), isByHand, isAsked));
    boolean isFirst = won.isPresent() && guard.isEmpty() && !Double.isNaN(metric);
    guard =
        isFirst
            ? won.map(first -> new Guard(mainline.incumbent(), metric, List.of(first)))
            : guard.map(kept -> won.map(kept::and).orElse(kept));
    mainline.adopt(winner.branch(), isFirst);
  }

  /// {@return whether a validation result says that the last adoption was wrong}
  boolean isRefuted(double value) {
    return guard
        .filter(kept -> kept.isRefutedBy(value, history.range(), board.plan().validation().goal()))
        .isPresent();
  }

  /// Undoes the adoption that a validation result refutes: what it raced was tuning after all.
  void undo(double value) {
    Guard kept = guard.orElseThrow();
    diary.refuted(planner.races(), kept, value, mainline.incumbent());
    planner.refuted(kept);
    board.countAsTuning(kept.raceSeconds());
    goOnFrom(
        mainline.snapshot(Purpose.BEFORE_ADOPTION).orElseThrow(), kept.incumbent(), kept.metric());
  }

  /// The validation data agree with the last adoption, if there was one.
  ///
  /// @param value the result
  void agreed(double value) {
    metric = value;
    guard = Optional.empty();
    mainline.dropStateBeforeAdoption();
  }
}
