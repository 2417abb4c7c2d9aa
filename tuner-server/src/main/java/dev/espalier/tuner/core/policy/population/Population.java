package dev.espalier.tuner.core.policy.population;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.job.History;
import dev.espalier.tuner.core.population.Run;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/*
 * A root holds the initial model and never trains; every run is a fork of it, or of another run.
 *
 * The best evaluation of all runs is the job's result, so the run that has it is shown as the
 * mainline; when another run does better, that one is, with the settings of its lineage as the
 * schedule.
 *
 * When workers are lost, results stay known. A run that is wanted again comes back from its last
 * checkpoint, or from the start, and catches up.
 */

/// The runs of a job, the branches that hold them, and the best of them.
final class Population {
  private final JobPlan plan;
  private final Board board;
  private final Checkpoints checkpoints;
  private final History history;
  private final PopulationDiary diary;
  private final List<PopulationRun> runs = new ArrayList<>();
  private @Nullable Branch root;
  private @Nullable PopulationRun best;

  Population(Board board, Checkpoints checkpoints, PopulationDiary diary) {
    this.plan = board.plan();
    this.board = board;
    this.checkpoints = checkpoints;
    this.history = new History(plan.validation().goal());
    this.diary = diary;
  }

  /// {@return what a run trains with where nothing is searched}
  Setting firstSetting() {
    return plan.base().with(plan.space().defaults());
  }

  /// {@return the results of all runs, in the order in which they came}
  History history() {
    return history;
  }

  /// {@return what the run said whose state was saved; NaN where it was not evaluated there}
  double valueAt(Checkpoints.Mark mark) {
    return run(mark.owner()).view().results().stream()
        .filter(result -> Math.abs(result.epochs() - mark.epochs()) <= Run.ROUNDING)
        .findFirst()
        .map(result -> signed(result.score()))
        .orElse(Double.NaN);
  }

  /// {@return a value as planners see it, the higher the better; and such a score as a value}
  private double signed(double value) {
    return goal() == Goal.MAXIMIZE ? value : -value;
  }

  /// {@return all runs as planners see them}
  List<Run> views() {
    return runs.stream().map(PopulationRun::view).toList();
  }

  PopulationRun run(int number) {
    return runs.get(number - 1);
  }

  /// {@return the runs that may be trained on}
  List<PopulationRun> open() {
    return runs.stream().filter(run -> !run.isRetired()).toList();
  }

  /// {@return the run that a branch holds, if it may be trained on}
  Optional<PopulationRun> openOn(BranchId branch) {
    return open().stream()
        .filter(run -> run.branch().filter(held -> held.id().equals(branch)).isPresent())
        .findFirst();
  }

  /// {@return the run with the best result; empty before the first result}
  Optional<PopulationRun> best() {
    return Optional.ofNullable(best);
  }

  /// {@return the branch that is shown as the job's: that of the best run, or the initial model}
  Branch mainline() {
    return best().map(leader -> leader.branch().orElseThrow()).orElseGet(this::root);
  }

  // Workers come and go.

  /// Makes the initial model; a best run that was there before stays the result.
  void begin() {
    root = board.createFirst(firstSetting());
    best()
        .ifPresent(leader -> {
          board.changed(leader.branch().orElseThrow(), BranchState.KEPT);
          tellSchedule(leader);
        });
  }

  void lose() {
    runs.forEach(PopulationRun::lose);
    root = null;
  }

  private Branch root() {
    return Optional.ofNullable(root)
        .orElseThrow(() -> new IllegalStateException("workers have no initial model yet"));
  }

  // Runs begin and end.

  /// Begins a run with a model that has not been trained.
  PopulationRun start(Setting searched) {
    PopulationRun run = add(searched, Optional.empty(), runs.size() + 1);
    run.beginOn(fork(root(), searched));
    return run;
  }

  /// Begins a run with a copy of another run's model.
  ///
  /// @param member of the population whose place it takes
  PopulationRun copy(PopulationRun source, Setting searched, int member) {
    PopulationRun run = add(searched, Optional.of(source), member);
    run.beginOn(fork(held(source), searched));
    checkpoints.requestOf(run.number(), run.branch().orElseThrow(), 0, 0);
    return run;
  }

  private PopulationRun add(Setting searched, Optional<PopulationRun> source, int member) {
    var run = new PopulationRun(runs.size() + 1, member, searched, source);
    runs.add(run);
    return run;
  }

  private Branch fork(Branch parent, Setting searched) {
    return board.fork(parent, BranchKind.TRIAL, 0, firstSetting().with(searched));
  }

  /// Makes a copy anew that was lost before its first checkpoint.
  void copyAgain(PopulationRun run, PopulationRun source) {
    run.resumeOn(fork(held(source), run.searched()));
  }

  /// {@return the branch of a run; made anew when it was lost with its workers}
  Branch held(PopulationRun run) {
    if (!run.isHeld()) {
      Optional<Checkpoints.Mark> mark = lastSaved(run);
      Branch branch =
          mark.map(saved -> board.restore(saved, kind(run), firstSetting().with(run.searched())))
              .orElseGet(() -> fork(root(), run.searched()));
      run.resumeOn(branch);
      diary.again(run, branch, mark);
    }
    return run.branch().orElseThrow();
  }

  private Optional<Checkpoints.Mark> lastSaved(PopulationRun run) {
    return run.lineage().reversed().stream()
        .flatMap(part -> checkpoints.lastDurableOf(part.number()).stream())
        .findFirst();
  }

  private BranchKind kind(PopulationRun run) {
    return run.equals(best) ? BranchKind.MAINLINE : BranchKind.TRIAL;
  }

  /// Ends a run: its branch and its checkpoint may go, its results stay.
  ///
  /// @param state that its branch is left in, unless it is the best
  void end(PopulationRun run, String rule, String why, String actor, BranchState state) {
    run.retire();
    checkpoints.release(run.number());
    boolean isBest = run.equals(best);
    if (run.isHeld()) {
      board.free(run.branch().orElseThrow(), isBest ? BranchState.KEPT : state);
    }
    diary.end(run, rule, why, actor, isBest);
  }

  /// Frees all but the branch of the result, which stays to be shown, and its checkpoint.
  void freeAll() {
    board.freeAllButMainline();
    runs.forEach(run -> checkpoints.release(run.number()));
    Branch initial = root;
    if (initial != null && best != null) {
      board.free(initial, BranchState.DISCARDED);
    }
  }

  // Results.

  /// Takes in a result of a run as it stands, and saves that state.
  void evaluated(PopulationRun run, SessionEvent.Evaluated event) {
    Branch branch = run.branch().orElseThrow();
    double value = plan.judged(event.metrics());
    run.add(new Run.Result(branch.epochs(), signed(value)), branch.mainlineClock());
    branch.validated(plan.validation(), value);
    board.changed(branch, branch.state());
    boolean isBest = isBest(value);
    history.add(
        new History.Entry(branch.start().number(), branch.mainlineClock(), branch.epochs(), value));
    if (isBest) {
      lead(run, branch, event, value);
    } else {
      board.emit(
          new SessionEffect.RunEvaluated(
              branch.id(),
              branch.mainlineClock(),
              branch.epochs(),
              event.atSeconds(),
              event.metrics()));
    }
    if (!checkpoints.isPendingFor(branch)) {
      checkpoints.requestOf(run.number(), branch, run.evaluations(), branch.wholeEpochs());
    }
  }

  private boolean isBest(double value) {
    return history
        .best()
        .map(before -> goal().isBetter(value, before.value()))
        .orElse(!Double.isNaN(value));
  }

  private Goal goal() {
    return plan.validation().goal();
  }

  private void lead(PopulationRun run, Branch branch, SessionEvent.Evaluated event, double value) {
    pin(run, branch, value);
    if (!run.equals(best)) {
      Optional<Branch> dethroned = best().flatMap(PopulationRun::branch);
      best = run;
      board.lead(branch, dethroned, run.lineageSeconds());
      tellSchedule(run);
    }
    board.emit(
        new SessionEffect.MainlineEvaluated(
            branch.id(),
            branch.mainlineClock(),
            branch.epochs(),
            event.atSeconds(),
            event.metrics()));
  }

  private void pin(PopulationRun run, Branch branch, double value) {
    checkpoints.requestOf(run.number(), branch, run.evaluations(), branch.wholeEpochs());
    checkpoints.requestBest(branch, value, run.evaluations(), branch.wholeEpochs());
  }

  /// {@return where a run stood that was the best, if its state was lost before it was saved and
  /// the run has yet to come there again; in passes over the data}
  Optional<Double> lostBestOf(PopulationRun run) {
    double at = run.branch().map(Branch::epochs).orElse(0.0);
    return history
        .best()
        .map(History.Entry::epoch)
        .filter(
            epoch -> checkpoints.isBestLost() && run.equals(best) && epoch >= at - Run.ROUNDING);
  }

  /// Saves the state that was the best and lost, if the run stands there again.
  void saveLostBest(PopulationRun run) {
    Branch branch = run.branch().orElseThrow();
    if (lostBestOf(run).filter(epoch -> epoch <= branch.epochs() + Run.ROUNDING).isPresent()) {
      pin(run, branch, history.best().orElseThrow().value());
    }
  }

  /// Tells the settings that led to where a run is.
  private void tellSchedule(PopulationRun run) {
    for (PopulationRun part : run.lineage()) {
      Branch branch = part.branch().orElseThrow();
      board.emit(
          new SessionEffect.ScheduleChanged(
              part.startClock(), part.startEpochs(), branch.setting(), branch.id()));
    }
  }
}
