package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.racing.Snapshots.Purpose;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.TrainingStart;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The branch that a racing job is about, the setting that it trains with, and the states that it
/// can go back to.
final class Mainline {
  private static final double SNAPSHOT_GROWTH = 1.5;

  private final Board board;
  private final Snapshots snapshots;
  private @Nullable Branch branch;
  private Setting incumbent;
  private Setting bestSetting;
  private double snapshotAt;
  private TrainingStart start = TrainingStart.FIRST;
  private int starts = TrainingStart.FIRST.number();
  private boolean isAtBest;

  Mainline(Board board, Setting first) {
    this.board = board;
    this.snapshots = new Snapshots(board);
    this.incumbent = first;
    this.bestSetting = first;
  }

  /// @throws IllegalStateException before the first branch, and while there are no workers
  Branch branch() {
    Branch current = branch;
    if (current == null) {
      throw new IllegalStateException("no mainline branch");
    }
    return current;
  }

  boolean is(Branch other) {
    return other.equals(branch);
  }

  /// {@return the setting that the next lap trains with}
  Setting incumbent() {
    return incumbent;
  }

  /// {@return the setting that the best validation result was reached with}
  Setting bestSetting() {
    return bestSetting;
  }

  /// {@return the branch that holds the state with the best validation result}
  Optional<Branch> best() {
    return isAtBest ? Optional.of(branch()) : snapshots.of(Purpose.BEST);
  }

  Optional<Branch> snapshot(Purpose purpose) {
    return snapshots.of(purpose);
  }

  void dropStateBeforeAdoption() {
    snapshots.release(Purpose.BEFORE_ADOPTION);
  }

  // Workers come and go.

  void create() {
    lead(board.createFirst(incumbent, start));
  }

  /// {@return whether a checkpoint is that of a start that was given up for the present one}
  boolean hasGivenUp(Checkpoints.Mark mark) {
    return mark.start().number() < start.number();
  }

  void restore(Checkpoints.Mark mark) {
    lead(board.restore(mark, incumbent));
  }

  void lose() {
    branch = null;
    snapshots.forget();
    isAtBest = false;
  }

  // Going on.

  void trainWith(Setting setting) {
    incumbent = setting;
  }

  /// Takes in whether its present state is the best so far.
  void validated(boolean isBest) {
    isAtBest = isBest;
    if (isBest) {
      bestSetting = incumbent;
    }
  }

  /// {@return the branch that runs the next lap}
  ///
  /// A lap that blows up is undone, so now and then the state before it is kept; so is the best
  /// state; and where the setting changes there is a new branch, for a setting belongs to one.
  Branch nextLap() {
    Branch from = branch();
    boolean isSnapshotDue =
        isAtBest
            || snapshots.of(Purpose.LAST_GOOD).isEmpty()
            || board.spentSeconds() > SNAPSHOT_GROWTH * snapshotAt
            || !from.setting().equals(incumbent);
    if (isSnapshotDue) {
      keep(from);
      lead(board.fork(from, BranchKind.MAINLINE, 0, incumbent));
    }
    return branch();
  }

  private void keep(Branch from) {
    if (isAtBest) {
      snapshots.keep(Purpose.BEST, from);
      isAtBest = false;
    }
    snapshots.keep(Purpose.LAST_GOOD, from);
    snapshotAt = board.spentSeconds();
  }

  private void lead(Branch next) {
    Branch before = branch;
    boolean isNews =
        before == null
            || !before.setting().equals(next.setting())
            || !next.parent().equals(Optional.of(before.id()));
    branch = next;
    start = next.start();
    if (isNews) {
      board.emit(
          new SessionEffect.ScheduleChanged(
              next.forkClock(), next.forkEpochs(), next.setting(), next.id()));
    }
  }

  /// Goes on with the winner of a race; the parent stays as the state to go back to.
  ///
  /// @param isGuarded whether the validation data have yet to agree
  void adopt(Branch winner, boolean isGuarded) {
    Branch before = branch();
    board.adoptBeside(winner, before);
    keep(before);
    if (isGuarded) {
      snapshots.keep(Purpose.BEFORE_ADOPTION, before);
    }
    incumbent = winner.setting();
    lead(winner);
  }

  /// Leaves the present branch for a child of a snapshot.
  void goBackTo(Branch from, Setting setting) {
    Branch left = branch();
    incumbent = setting;
    lead(board.fork(from, BranchKind.MAINLINE, 0, setting));
    snapshots.keep(Purpose.LAST_GOOD, from);
    snapshots.release(Purpose.BEFORE_ADOPTION);
    snapshotAt = board.spentSeconds();
    snapshots.freeUnlessKept(left, BranchState.DISCARDED);
    isAtBest = false;
  }

  /// Leaves the present branch for the untrained model; the best state stays.
  void beginAnew(Setting fresh) {
    Branch left = branch();
    incumbent = fresh;
    starts++;
    lead(
        board.createFirst(
            fresh, new TrainingStart(starts, left.start().earlierEpochs() + left.epochs())));
    board.free(left, BranchState.DISCARDED);
    snapshots.release(Purpose.BEFORE_ADOPTION);
    snapshots.release(Purpose.LAST_GOOD);
    isAtBest = false;
  }
}
