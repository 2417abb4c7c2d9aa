package dev.espalier.tuner.core.policy.board;

import static java.util.Objects.requireNonNull;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.ScheduleBook;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.TrainingStart;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What all parts of a session share: the job's branches, its seconds, and the effects of the event
/// that is being handled.
///
/// It writes each change into the effects, so that none is forgotten. At most one `JobChanged` and
/// one `TimeSpent` leave per event.
public final class Board {
  private static final double ROUNDING = 1e-9;

  private final JobPlan plan;
  private final ScheduleBook book = new ScheduleBook();
  private final Map<BranchId, Branch> branches = new LinkedHashMap<>();
  private final Set<String> decisionKeys = new HashSet<>();
  private List<SessionEffect> effects = new ArrayList<>();
  private @Nullable Workload workload;
  private SessionEffect.@Nullable JobChanged shown;
  private Optional<SessionEffect.ResultChanged> result = Optional.empty();
  private int starts;
  private boolean isPaused;
  private boolean hasNewTimes;
  private double nowSeconds;
  private double secondsToFirstClock = Double.NaN;
  private double tuningSeconds;
  private double trainingSeconds;
  private double evaluationSeconds;

  public Board(JobPlan plan) {
    this.plan = plan;
  }

  /// {@return what the job is to do}
  public JobPlan plan() {
    return plan;
  }

  /// {@return the numbers of branches, evaluations and checkpoints, and the count of clocks}
  public ScheduleBook book() {
    return book;
  }

  // Time.

  /// Moves on to the time of an event; one that comes late moves nothing back.
  ///
  /// @param atSeconds since the job's start
  public void moveTo(double atSeconds) {
    nowSeconds = Math.max(nowSeconds, atSeconds);
  }

  /// {@return seconds since the job's start, at the event that is being handled}
  public double nowSeconds() {
    return nowSeconds;
  }

  /// {@return whether the job has used up its seconds}
  public boolean isTimeUp() {
    return plan.maxSeconds() > 0 && nowSeconds >= plan.maxSeconds();
  }

  /// {@return seconds from the job's start to the first clock of any branch; NaN before that was
  /// reported}
  public double secondsToFirstClock() {
    return secondsToFirstClock;
  }

  /// Counts seconds in which the mainline or a run was evaluated.
  public void spendOnEvaluation(double seconds) {
    evaluationSeconds += seconds;
    noteTimes();
  }

  /// Counts seconds in which branches on trial were measured.
  public void spendOnTuning(double seconds) {
    tuningSeconds += seconds;
    noteTimes();
  }

  /// What was taken for training was not.
  public void countAsTuning(double seconds) {
    trainingSeconds -= seconds;
    tuningSeconds += seconds;
    noteTimes();
  }

  /// {@return seconds of branches on trial, and of measuring them}
  public double tuningSeconds() {
    return tuningSeconds;
  }

  /// {@return whether the mainline has done a clock, or what became the mainline had}
  public boolean hasTrained() {
    // What was taken for training and was not may leave a rest by rounding.
    return trainingSeconds > ROUNDING * spentSeconds();
  }

  /// {@return all seconds that workers have used for the job: training, tuning and evaluation}
  public double spentSeconds() {
    return tuningSeconds + trainingSeconds + evaluationSeconds;
  }

  void noteTimes() {
    hasNewTimes = true;
  }

  // Work.

  /// {@return what a clock is worth; known once workers were ready}
  public Workload workload() {
    return requireNonNull(workload, "no workers were ready yet");
  }

  /// {@return what is other in the data that new workers have opened than it was at those before
  /// them, in words; empty where it is the same, and for the first}
  public Optional<String> changeOfData(Workload ready) {
    Workload before = workload;
    return before == null || before.hasSameData(ready)
        ? Optional.empty()
        : Optional.of(
            "the data have changed: "
                + ready.dataInWords()
                + ", but the job has trained on "
                + before.dataInWords()
                + "; bring them back, or begin a new job");
  }

  /// Takes in what a clock is worth with the workers that are ready.
  public void workersAre(Workload ready) {
    workload = ready;
  }

  /// {@return a branch that was made since workers were lost last; empty when there is none of that
  /// number}
  public Optional<Branch> branch(BranchId id) {
    return Optional.ofNullable(branches.get(id));
  }

  /// Sends workers a command.
  public void command(BranchCommand command) {
    effects.add(new SessionEffect.Command(command));
  }

  /// Makes the first branch of a generation of workers.
  public Branch createFirst(Setting setting) {
    return createFirst(setting, TrainingStart.FIRST);
  }

  /// Makes the first branch of a start.
  public Branch createFirst(Setting setting, TrainingStart start) {
    starts = Math.max(starts, start.number());
    Branch branch = open(Optional.empty(), BranchKind.MAINLINE, 0, setting, List.of());
    branch.startAt(0, 0, start);
    command(new BranchCommand.Create(branch.id(), setting));
    changed(branch, BranchState.WAITING);
    return branch;
  }

  /// Makes the first branch of a generation of workers from a durable checkpoint.
  public Branch restore(Checkpoints.Mark mark, Setting setting) {
    return restore(mark, BranchKind.MAINLINE, setting);
  }

  /// Makes a branch from a durable checkpoint.
  public Branch restore(Checkpoints.Mark mark, BranchKind kind, Setting setting) {
    Branch branch = open(Optional.of(mark.branch()), kind, 0, setting, mark.path());
    branch.startAt(mark.mainlineClock(), mark.epochs(), mark.start());
    command(new BranchCommand.Restore(branch.id(), mark.checkpoint(), setting));
    changed(branch, BranchState.WAITING);
    return branch;
  }

  /// Makes a branch that begins in the state of another, once all that is scheduled there has run.
  ///
  /// @param round number of the round that it belongs to; 0 for none
  public Branch fork(Branch parent, BranchKind kind, int round, Setting setting) {
    Branch branch = open(Optional.of(parent.id()), kind, round, setting, parent.path());
    branch.startAt(parent.mainlineClock(), parent.epochs(), parent.start());
    command(new BranchCommand.Fork(branch.id(), parent.id(), kind, setting));
    changed(branch, BranchState.FORKING);
    return branch;
  }

  private Branch open(
      Optional<BranchId> parent,
      BranchKind kind,
      int round,
      Setting setting,
      List<JobPlan.ScheduleStep> before) {
    long clocksPerEpoch = workload().clocksPerEpoch(setting);
    var branch =
        new Branch(book.nextBranch(), parent, kind, round, setting, clocksPerEpoch, before);
    branches.put(branch.id(), branch);
    return branch;
  }

  /// Runs a branch that must not go on by itself.
  public void schedule(Branch branch, long untilClock) {
    schedule(branch, untilClock, untilClock);
  }

  /// Runs a branch at a constant rate up to an own clock.
  ///
  /// @param aloneUntilClock how far workers may go on by themselves when they lose the tuner
  public void schedule(Branch branch, long untilClock, long aloneUntilClock) {
    schedule(branch, untilClock, aloneUntilClock, Shape.CONSTANT);
  }

  /// Runs a branch up to an own clock.
  ///
  /// @param aloneUntilClock how far workers may go on by themselves when they lose the tuner
  /// @param shape of the rate, over own clocks
  public void schedule(Branch branch, long untilClock, long aloneUntilClock, Shape shape) {
    branch.schedule(untilClock, shape);
    command(new BranchCommand.Schedule(branch.id(), untilClock, aloneUntilClock, shape));
    if (branch.state() != BranchState.RUNNING) {
      changed(branch, BranchState.RUNNING);
    }
  }

  /// Counts a clock that workers report: as training where the branch is the mainline, else as
  /// tuning.
  ///
  /// @param loss mean training loss of the clock; may be NaN or infinite
  public void count(Branch branch, double clockSeconds, double loss) {
    if (Double.isNaN(secondsToFirstClock)) {
      secondsToFirstClock = nowSeconds - clockSeconds;
    }
    book.countClock();
    branch.count(clockSeconds, loss);
    if (branch.kind() == BranchKind.MAINLINE) {
      trainingSeconds += clockSeconds;
    } else {
      tuningSeconds += clockSeconds;
    }
    if (branch.isAtRest()) {
      noteTimes();
    }
  }

  /// Frees a branch whose work is not wanted, or whose work lives on in a child.
  public void free(Branch branch, BranchState lastState) {
    command(new BranchCommand.Free(branch.id()));
    branch.free();
    changed(branch, lastState);
  }

  /// Frees every branch that is only tried.
  public void freeAllButMainline() {
    List<Branch> others =
        branches.values().stream()
            .filter(branch -> branch.isAlive() && branch.kind() != BranchKind.MAINLINE)
            .toList();
    others.forEach(branch -> free(branch, BranchState.DISCARDED));
  }

  /// Makes a trial the mainline: its seconds were training after all.
  public void adopt(Branch winner, Branch parent) {
    adoptBeside(winner, parent);
    free(parent, BranchState.KEPT);
  }

  /// Makes a trial the mainline, and leaves its parent as a snapshot to go back to.
  public void adoptBeside(Branch winner, Branch parent) {
    tuningSeconds -= winner.seconds();
    trainingSeconds += winner.seconds();
    noteTimes();
    winner.become(BranchKind.MAINLINE);
    // Workers that were alone may have moved the parent before they forked it.
    winner.startAt(parent.mainlineClock(), parent.epochs(), parent.start());
    changed(winner, BranchState.KEPT);
    winner.forgetTrace();
  }

  /// Shows another branch as the mainline, because its work is the result now.
  ///
  /// @param lineageSeconds branch seconds that led to it, which were training after all; all others
  ///   were tuning
  public void lead(Branch next, Optional<Branch> before, double lineageSeconds) {
    tuningSeconds += trainingSeconds - lineageSeconds;
    trainingSeconds = lineageSeconds;
    noteTimes();
    before
        .filter(branch -> !branch.equals(next))
        .ifPresent(branch -> regard(branch, BranchKind.TRIAL));
    regard(next, BranchKind.MAINLINE);
  }

  private void regard(Branch branch, BranchKind kind) {
    branch.become(kind);
    changed(branch, branch.state());
  }

  /// All branches are gone with their workers.
  public void loseAllBranches() {
    for (Branch branch : branches.values()) {
      if (branch.isAlive()) {
        branch.forgetTrace();
        changed(branch, BranchState.LOST);
      }
    }
    branches.clear();
  }

  /// Tells a branch's state to the outside, with all that is known of it.
  public void changed(Branch branch, BranchState state) {
    branch.become(state);
    effects.add(branch.changed());
  }

  /// {@return clocks that a branch may still run within the job's epochs, once all that is
  /// scheduled has run; >= 0}
  public long clocksLeft(Branch branch) {
    return plan.maxEpochs() > 0
        ? Math.max(
            0,
            branch.clockOfEpoch(plan.maxEpochs() - branch.start().earlierEpochs())
                - branch.scheduledUntil())
        : Long.MAX_VALUE;
  }

  /// {@return passes over the data that the job still allows after those of a branch, and of all
  /// starts before it; infinite without a bound}
  public double epochsToGo(Branch branch) {
    return plan.maxEpochs() > 0
        ? plan.maxEpochs() - branch.start().earlierEpochs() - branch.epochs()
        : Double.POSITIVE_INFINITY;
  }

  /// Says that a branch, once all that is scheduled has run, is the job's result until another is.
  ///
  /// @param value of the metric that judges the model; may be NaN
  public void resultIs(Branch branch, double value) {
    resultIs(
        new SessionEffect.ResultChanged(
            branch.start().number(),
            branch.scheduledMainlineClock(),
            branch.scheduledEpochs(),
            branch.id(),
            value,
            branch.path()));
  }

  /// {@return how often training has begun from the untrained model}
  public int starts() {
    return starts;
  }

  /// {@return what was last said to be the job's result}
  public Optional<SessionEffect.ResultChanged> result() {
    return result;
  }

  /// Says that what a checkpoint holds is the job's result again.
  ///
  /// @param value of the metric that judges the model; may be NaN
  void resultIs(Checkpoints.Mark mark, double value) {
    resultIs(
        new SessionEffect.ResultChanged(
            mark.start().number(),
            mark.mainlineClock(),
            mark.epochs(),
            mark.branch(),
            value,
            mark.path()));
  }

  private void resultIs(SessionEffect.ResultChanged change) {
    result = Optional.of(change);
    emit(change);
  }

  // What people see.

  /// Adds an effect to those of the event that is being handled.
  public void emit(SessionEffect effect) {
    effects.add(effect);
  }

  /// Writes a decision down; a key that was used before gets a number.
  public void decide(
      String key, String rule, String outcome, String actor, int round, Evidence evidence) {
    String unique = key;
    for (int again = 2; !decisionKeys.add(unique); again++) {
      unique = key + "." + again;
    }
    effects.add(
        new SessionEffect.Decide(
            new Decision(unique, rule, outcome, actor, round, evidence.values())));
  }

  /// Writes down a decision of the policy that belongs to no round.
  public void decide(String key, String rule, String outcome, Evidence evidence) {
    decide(key, rule, outcome, "policy", 0, evidence);
  }

  /// Shows the job's state; a paused job keeps that to itself until it goes on.
  public void show(JobState state, String reason, String message, String waitingFor) {
    var next = new SessionEffect.JobChanged(state, reason, message, waitingFor);
    boolean isNews = !next.equals(shown);
    shown = next;
    if (isNews && (!isPaused || state.isTerminal())) {
      replaceJobChanged(next);
    }
  }

  /// {@return whether the state that is shown, or would be without a pause, has this reason}
  public boolean isShown(String reason) {
    return shown != null && shown.reason().equals(reason);
  }

  /// {@return whether a person paused the job}
  public boolean isPaused() {
    return isPaused;
  }

  /// Holds the workers, and shows the job as paused.
  public void pause(String message) {
    isPaused = true;
    emit(new SessionEffect.Hold(true));
    replaceJobChanged(
        new SessionEffect.JobChanged(JobState.PAUSED, "paused", message, "a request to resume"));
  }

  /// Lets the workers go on, and shows the job as it is.
  public void resume() {
    isPaused = false;
    emit(new SessionEffect.Hold(false));
    if (shown != null) {
      replaceJobChanged(shown);
    }
  }

  private void replaceJobChanged(SessionEffect.JobChanged next) {
    effects.removeIf(SessionEffect.JobChanged.class::isInstance);
    effects.add(next);
  }

  /// {@return the effects since the last call}
  public List<SessionEffect> takeEffects() {
    if (hasNewTimes) {
      effects.add(new SessionEffect.TimeSpent(tuningSeconds, trainingSeconds, evaluationSeconds));
      hasNewTimes = false;
    }
    List<SessionEffect> taken = List.copyOf(effects);
    effects = new ArrayList<>();
    return taken;
  }
}
