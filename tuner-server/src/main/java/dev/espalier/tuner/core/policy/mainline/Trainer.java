package dev.espalier.tuner.core.policy.mainline;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Slices;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.policy.job.Ending;
import dev.espalier.tuner.core.policy.job.Endings;
import dev.espalier.tuner.core.policy.job.History;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Runs the mainline in slices from one epoch boundary to the next, evaluates it there, and makes
/// checkpoints.
final class Trainer {
  private final Board board;
  private final Strategy strategy;
  private final Checkpoints checkpoints;
  private final History history;
  private final Slices slices;
  private @Nullable Branch mainline;
  private long evaluation;
  private long evaluatedEpochs;
  private long evaluatedClock;
  private long resultClock = -1;

  Trainer(Board board, Strategy strategy, Checkpoints checkpoints) {
    this.board = board;
    this.strategy = strategy;
    this.checkpoints = checkpoints;
    this.slices = new Slices(board);
    this.history = new History(board.plan().validation().goal());
  }

  Optional<Branch> mainline() {
    return Optional.ofNullable(mainline);
  }

  History history() {
    return history;
  }

  /// Takes the branch of the generation's first command as the mainline.
  void begin(Branch branch) {
    takeOver(branch);
    evaluatedEpochs = 0;
    evaluatedClock = 0;
    history.truncate(0);
  }

  /// Goes back to a checkpoint.
  void begin(Branch branch, Checkpoints.Mark mark) {
    takeOver(branch);
    evaluatedEpochs = mark.evaluatedEpochs();
    history.truncate(mark.evaluations());
    evaluatedClock = -1;
  }

  /// Makes a winner the mainline.
  void takeOver(Branch branch) {
    mainline = branch;
    evaluation = 0;
    resultClock = -1;
    slices.begin(branch);
    board.emit(
        new SessionEffect.ScheduleChanged(
            branch.forkClock(), branch.forkEpochs(), branch.setting(), branch.id()));
  }

  void lose() {
    mainline = null;
    evaluation = 0;
  }

  /// Asks for a checkpoint unless one of this very state exists or is on its way. Where the state
  /// was evaluated it is the job's result, which so is on the disk, or about to be.
  void checkpoint() {
    Branch branch = mainline;
    if (branch == null) {
      return;
    }
    if (!checkpoints.isSettledFor(branch) && !checkpoints.isPendingFor(branch)) {
      checkpoints.request(branch, history.size(), evaluatedEpochs);
    }
    if (branch.scheduledMainlineClock() == evaluatedClock) {
      tellResult(branch, history.latest());
    }
  }

  /// Asks for the checkpoint that is the job's result, though it may not have been evaluated.
  void saveResult() {
    checkpoint();
    Branch branch = mainline;
    if (branch != null) {
      tellResult(branch, Double.NaN);
    }
  }

  private void tellResult(Branch branch, double value) {
    if (branch.scheduledMainlineClock() != resultClock) {
      resultClock = branch.scheduledMainlineClock();
      board.resultIs(branch, value);
    }
  }

  /// {@return whether no clock and no evaluation of the mainline is under way}
  boolean isAtRest() {
    return mainline != null && mainline.isAtRest() && evaluation == 0;
  }

  /// {@return whether the mainline stands where it must be evaluated before anything else}
  boolean needsEvaluation() {
    Branch branch = mainline;
    return branch != null
        && (branch.wholeEpochs() > evaluatedEpochs
            || (ending().isPresent() && branch.mainlineClock() != evaluatedClock));
  }

  void evaluate() {
    Branch branch = mainline;
    if (branch != null) {
      evaluation = board.book().nextEvaluation();
      board.command(new BranchCommand.Evaluate(branch.id(), evaluation));
    }
  }

  /// Takes in a result.
  ///
  /// @return whether it was the one that was asked for
  boolean evaluated(SessionEvent.Evaluated event) {
    Branch branch = mainline;
    if (branch == null || evaluation == 0 || event.evaluation() != evaluation) {
      return false;
    }
    evaluation = 0;
    evaluatedEpochs = branch.wholeEpochs();
    evaluatedClock = branch.mainlineClock();
    double value = board.plan().judged(event.metrics());
    history.add(new History.Entry(branch.start().number(), evaluatedClock, branch.epochs(), value));
    board.spendOnEvaluation(event.seconds());
    branch.validated(board.plan().validation(), value);
    board.emit(
        new SessionEffect.MainlineEvaluated(
            branch.id(), evaluatedClock, branch.epochs(), event.atSeconds(), event.metrics()));
    board.changed(branch, branch.state());
    return true;
  }

  /// {@return why the job must end now, if it must}
  Optional<Ending> ending() {
    JobPlan plan = board.plan();
    Branch branch = mainline;
    if (branch == null) {
      return Optional.empty();
    }
    if (plan.maxEpochs() > 0 && branch.clocks() >= branch.clockOfEpoch(plan.maxEpochs())) {
      return Optional.of(Endings.maxEpochs(plan.maxEpochs()));
    }
    return board.isTimeUp() ? Optional.of(Endings.maxSeconds(board)) : Optional.empty();
  }

  /// Sends the next slice once half of the current one is reported.
  void runOn() {
    Branch branch = mainline;
    if (branch == null || evaluation != 0) {
      return;
    }
    long until = slices.next(branch, bound(branch));
    if (until > branch.scheduledUntil()) {
      Shape shape = strategy.shapeAt(branch.scheduledMainlineClock()).shifted(-branch.forkClock());
      slices.send(branch, until, Math.max(until, aloneUntil(branch, until)), shape);
    }
  }

  /// Forks a new branch where the schedule changes the setting, so that a setting belongs to a
  /// branch.
  void changeSettingIfDue() {
    Branch branch = mainline;
    if (branch == null) {
      return;
    }
    Setting due = strategy.settingAt(branch.mainlineClock(), branch.setting());
    if (!due.equals(branch.setting())) {
      Branch next = board.fork(branch, BranchKind.MAINLINE, 0, due);
      board.free(branch, BranchState.KEPT);
      takeOver(next);
      board.decide(
          "schedule/clock-" + next.mainlineClock(),
          "fixed.schedule",
          "The schedule changes the setting to " + Words.setting(due),
          Evidence.of().with("mainlineClock", next.mainlineClock()).with("setting", due));
    }
  }

  /// The next epoch boundary, end of training or change of setting, as an own clock of the branch.
  private long bound(Branch branch) {
    long epochEnd = branch.clockOfEpoch(branch.wholeEpochs() + 1.0);
    return Math.min(epochEnd, Math.min(trainingEnd(branch), nextChange(branch)));
  }

  private long aloneUntil(Branch branch, long until) {
    long alone = until + (long) Slices.ALONE_EPOCHS * branch.clocksPerEpoch();
    long end = trainingEnd(branch);
    return Math.min(end == Long.MAX_VALUE ? alone : end, nextChange(branch));
  }

  private long trainingEnd(Branch branch) {
    double maxEpochs = board.plan().maxEpochs();
    return maxEpochs > 0 ? branch.clockOfEpoch(maxEpochs) : Long.MAX_VALUE;
  }

  private long nextChange(Branch branch) {
    long change = strategy.nextChangeAfter(branch.mainlineClock());
    return change == Long.MAX_VALUE ? change : branch.clockOfMainline(change);
  }
}
