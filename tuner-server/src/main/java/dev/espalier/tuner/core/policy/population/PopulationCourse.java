package dev.espalier.tuner.core.policy.population;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Slices;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.policy.board.Workload;
import dev.espalier.tuner.core.policy.job.Course;
import dev.espalier.tuner.core.policy.job.Ending;
import dev.espalier.tuner.core.policy.job.Endings;
import dev.espalier.tuner.core.policy.job.History;
import dev.espalier.tuner.core.policy.job.Requests;
import dev.espalier.tuner.core.population.Order;
import dev.espalier.tuner.core.population.Order.Step;
import dev.espalier.tuner.core.population.Planner;
import dev.espalier.tuner.core.population.Planners;
import dev.espalier.tuner.core.population.Run;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/*
 * A root holds the initial model and never trains; every run is a fork of it, or of another run. All
 * workers train one run at a time. What is trained next is the planner's: it is asked when a run
 * stands where it was told to go.
 *
 * A run is evaluated at each whole epoch and where it stops, and saved there. The best evaluation of
 * all runs is the job's result, so the run that has it is shown as the mainline; when another run
 * does better, that one is, with the settings of its lineage as the schedule.
 *
 * A person may ask for a setting, which the next run takes that begins; give a run up, which then
 * is to the planner as if it had diverged; or choose a run, which alone is trained on to its end.
 *
 * When workers are lost, results stay known. A run that is wanted again comes back from its last
 * checkpoint, or from the start, and catches up.
 */

/// A population of runs, of which the best is kept.
public final class PopulationCourse implements Course {
  private final JobPlan plan;
  private final Board board;
  private final Checkpoints checkpoints;
  private final Host host;
  private final Planner planner;
  private final Slices slices;
  private final History history;
  private final List<PopulationRun> runs = new ArrayList<>();
  private @Nullable Branch root;
  private @Nullable PopulationRun current;
  private @Nullable PopulationRun best;
  private @Nullable Interrupted interrupted;
  private Optional<Wish> wish = Optional.empty();
  private Optional<Choice> choice = Optional.empty();
  private double untilEpochs;
  private long evaluation;

  /// An order whose workers were lost; it is finished before the planner is asked again.
  private record Interrupted(PopulationRun run, double untilEpochs) {}

  /// A setting that a person wants to be tried.
  private record Wish(Setting setting, String actor) {}

  /// The run that a person wants to be trained on, and no other.
  private record Choice(PopulationRun run, String actor) {}

  public PopulationCourse(Board board, Checkpoints checkpoints, Host host) {
    this.plan = board.plan();
    this.board = board;
    this.checkpoints = checkpoints;
    this.host = host;
    this.planner = Planners.of(plan.policy(), plan.space(), plan.runs(), plan.seed());
    this.slices = new Slices(board);
    this.history = new History(plan.validation().goal());
  }

  @Override
  public List<Setting> extremeSettings() {
    return Workload.extremeSettings(plan.space(), firstSetting());
  }

  private Setting firstSetting() {
    return plan.base().with(plan.space().defaults());
  }

  @Override
  public void begin() {
    root = board.createFirst(firstSetting());
  }

  @Override
  public void resume() {
    root = board.createFirst(firstSetting());
    PopulationRun leader = best;
    if (leader != null) {
      board.changed(leader.branch().orElseThrow(), BranchState.KEPT);
      tellSchedule(leader);
    }
  }

  @Override
  public void lose() {
    runs.forEach(PopulationRun::lose);
    if (interrupted == null && current != null) {
      interrupted = new Interrupted(current, untilEpochs);
    }
    root = null;
    current = null;
    evaluation = 0;
  }

  @Override
  public void abandon(String why) {
    freeAll();
  }

  // The run under way.

  @Override
  public void clockReported(Branch branch, double loss) {
    PopulationRun run = current;
    if (run != null && !Double.isFinite(loss) && isCurrent(branch)) {
      run.diverge();
      end(
          run,
          "run.diverged",
          "its loss is " + loss + " at clock " + branch.mainlineClock(),
          "policy",
          BranchState.FAILED);
      current = null;
    }
  }

  private boolean isCurrent(Branch branch) {
    PopulationRun run = current;
    return run != null && run.branch().filter(branch::equals).isPresent();
  }

  @Override
  public void advance() {
    while (current == null) {
      if (board.isTimeUp()) {
        stop(Endings.maxSeconds(plan.maxSeconds()));
        return;
      }
      if (interrupted != null) {
        goOn(interrupted);
        continue;
      }
      Order order = nextOrder();
      order.retired().forEach(this::retire);
      if (!carryOut(order)) {
        return;
      }
    }
    train(current);
  }

  private Order nextOrder() {
    Optional<Choice> chosen = choice.filter(wanted -> !wanted.run().hasDiverged());
    if (chosen.isPresent()) {
      return toItsEnd(chosen.get());
    }
    Order planned = planner.next(runs.stream().map(PopulationRun::view).toList());
    return wish.map(asked -> withWish(planned, asked)).orElse(planned);
  }

  private Order toItsEnd(Choice chosen) {
    PopulationRun run = chosen.run();
    boolean isThere = run.knownEpochs() >= plan.runs().maxEpochs() - Run.ROUNDING;
    return new Order(
        isThere ? new Step.Done() : new Step.Continue(run.number(), plan.runs().maxEpochs()),
        isThere ? List.of(run.number()) : List.of(),
        "request.keep",
        chosen.actor()
            + " chose run "
            + run.number()
            + (isThere ? ", which has trained its epochs" : ""),
        Map.of("epoch", run.knownEpochs()));
  }

  /// What was asked for takes the place of what would have been drawn; when nothing is drawn any
  /// more it is one run more, over the whole length.
  private Order withWish(Order planned, Wish asked) {
    Optional<Step> step =
        switch (planned.step()) {
          case Step.Start(Setting drawn, double until) ->
              Optional.of(new Step.Start(drawn.with(asked.setting()), until));
          case Step.Copy(int source, int replaced, Setting explored, double until) ->
              Optional.of(new Step.Copy(source, replaced, explored.with(asked.setting()), until));
          case Step.Done _ ->
              Optional.of(
                  new Step.Start(
                      plan.space().defaults().with(asked.setting()), plan.runs().maxEpochs()));
          case Step.Continue _ -> Optional.empty();
        };
    return step.map(taken ->
            new Order(
                taken,
                planned.retired(),
                "request.try",
                asked.actor() + " asked for its setting",
                planned.evidence()))
        .orElse(planned);
  }

  private void train(PopulationRun run) {
    Branch branch = run.branch().orElseThrow();
    if (evaluation != 0) {
      return;
    }
    if (!branch.isAtRest()) {
      slices.runOn(branch, bound(run, branch));
      return;
    }
    boolean isThere = branch.epochs() >= untilEpochs - Run.ROUNDING;
    if (run.isNewAt(branch) && (isThere || isAtEpoch(branch) || board.isTimeUp())) {
      evaluation = board.book().nextEvaluation();
      board.command(new BranchCommand.Evaluate(branch.id(), evaluation));
    } else if (board.isTimeUp()) {
      stop(Endings.maxSeconds(plan.maxSeconds()));
    } else if (isThere) {
      board.changed(branch, BranchState.WAITING);
      current = null;
      advance();
    } else {
      slices.runOn(branch, bound(run, branch));
    }
  }

  private static boolean isAtEpoch(Branch branch) {
    return branch.clocks() == branch.clockOfEpoch(branch.wholeEpochs());
  }

  /// The next whole epoch that is to be evaluated, or the end of the order, in own clocks.
  private long bound(PopulationRun run, Branch branch) {
    double known = Math.max(run.knownEpochs(), branch.epochs());
    double nextEpoch = Math.floor(known + Run.ROUNDING) + 1;
    return branch.clockOfEpoch(Math.min(nextEpoch, untilEpochs));
  }

  @Override
  public void evaluated(SessionEvent.Evaluated event) {
    if (evaluation == 0 || event.evaluation() != evaluation) {
      return;
    }
    evaluation = 0;
    board.spendOnEvaluation(event.seconds());
    // A run that was given up meanwhile has no results any more.
    Optional.ofNullable(current)
        .filter(run -> run.branch().orElseThrow().id().equals(event.branch()))
        .ifPresent(run -> evaluated(run, event));
  }

  private void evaluated(PopulationRun run, SessionEvent.Evaluated event) {
    Branch branch = run.branch().orElseThrow();
    branch.forgetTrace();
    Double metric = event.metrics().get(plan.validation().name());
    double value = metric == null ? Double.NaN : metric;
    boolean isMaximized = plan.validation().goal() == Goal.MAXIMIZE;
    run.add(new Run.Result(branch.epochs(), isMaximized ? value : -value), branch.mainlineClock());
    board.changed(branch, branch.state());
    boolean isBest =
        history
            .best()
            .map(before -> plan.validation().goal().isBetter(value, before.value()))
            .orElse(!Double.isNaN(value));
    history.add(new History.Entry(branch.mainlineClock(), branch.epochs(), value));
    if (isBest) {
      lead(run, branch, event);
    }
    if (!checkpoints.isPendingFor(branch)) {
      checkpoints.requestOf(run.number(), branch, run.evaluations(), branch.wholeEpochs());
    }
    Endings.targetReached(plan, event.metrics()).ifPresent(this::stop);
  }

  private void lead(PopulationRun run, Branch branch, SessionEvent.Evaluated event) {
    checkpoints.requestOf(run.number(), branch, run.evaluations(), branch.wholeEpochs());
    checkpoints.requestBest(branch, run.evaluations(), branch.wholeEpochs());
    PopulationRun before = best;
    if (!run.equals(before)) {
      Optional<Branch> dethroned = before == null ? Optional.empty() : before.branch();
      best = run;
      board.lead(branch, dethroned, run.lineageSeconds());
      tellSchedule(run);
    }
    board.emit(
        new SessionEffect.MainlineEvaluated(
            branch.mainlineClock(), branch.epochs(), event.atSeconds(), event.metrics()));
    board.resultIs(branch, event.metrics().getOrDefault(plan.validation().name(), Double.NaN));
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

  // What the planner orders.

  /// {@return whether a run is under way now}
  private boolean carryOut(Order order) {
    switch (order.step()) {
      case Step.Start(Setting setting, double until) -> {
        PopulationRun run = add(setting, Optional.empty(), runs.size() + 1);
        run.beginOn(fork(rootBranch(), setting));
        go(run, until, order);
      }
      case Step.Copy copy -> copy(copy, order);
      case Step.Continue(int number, double until) -> {
        PopulationRun run = run(number);
        held(run);
        go(run, until, order);
      }
      case Step.Done _ -> {
        stop(Endings.populationDone(order.why()));
        return false;
      }
    }
    return true;
  }

  private void goOn(Interrupted order) {
    PopulationRun run = order.run();
    Optional<PopulationRun> source =
        run.source().filter(from -> from.knownEpochs() <= run.startEpochs() + Run.ROUNDING);
    if (source.isPresent() && checkpoints.lastDurableOf(run.number()).isEmpty()) {
      if (isCatchingUp(source.get())) {
        return;
      }
      run.resumeOn(fork(held(source.get()), run.searched()));
    }
    interrupted = null;
    held(run);
    begin(run, order.untilEpochs());
  }

  /// {@return whether a source that is behind its results is under way to them}
  private boolean isCatchingUp(PopulationRun source) {
    boolean isBehind = held(source).epochs() < source.knownEpochs() - Run.ROUNDING;
    if (isBehind) {
      begin(source, source.knownEpochs());
    }
    return isBehind;
  }

  /// A source that lost its workers is behind its results: it catches up first, and the planner,
  /// who sees results only, then orders the same again.
  private void copy(Step.Copy copy, Order order) {
    PopulationRun source = run(copy.source());
    if (isCatchingUp(source)) {
      return;
    }
    PopulationRun run = add(copy.setting(), Optional.of(source), run(copy.replaced()).member());
    run.beginOn(fork(held(source), copy.setting()));
    checkpoints.requestOf(run.number(), run.branch().orElseThrow(), 0, 0);
    go(run, copy.untilEpochs(), order);
  }

  private PopulationRun add(Setting searched, Optional<PopulationRun> source, int member) {
    var run = new PopulationRun(runs.size() + 1, member, searched, source);
    runs.add(run);
    wish = Optional.empty();
    return run;
  }

  private Branch fork(Branch parent, Setting searched) {
    return board.fork(parent, BranchKind.TRIAL, 0, firstSetting().with(searched));
  }

  private Branch rootBranch() {
    return Optional.ofNullable(root)
        .orElseThrow(() -> new IllegalStateException("workers have no initial model yet"));
  }

  private PopulationRun run(int number) {
    return runs.get(number - 1);
  }

  /// {@return the branch of a run; made anew when it was lost with its workers}
  private Branch held(PopulationRun run) {
    if (!run.isHeld()) {
      Optional<Checkpoints.Mark> mark =
          run.lineage().reversed().stream()
              .flatMap(part -> checkpoints.lastDurableOf(part.number()).stream())
              .findFirst();
      Branch branch =
          mark.map(saved -> board.restore(saved, kind(run), firstSetting().with(run.searched())))
              .orElseGet(() -> fork(rootBranch(), run.searched()));
      run.resumeOn(branch);
      decide(
          run,
          "again",
          "run.again",
          "Run "
              + run.number()
              + " comes back from "
              + mark.map(saved -> "checkpoint " + saved.checkpoint()).orElse("the beginning"),
          Evidence.of().with("epoch", branch.epochs()).with("knownEpochs", run.knownEpochs()));
    }
    return run.branch().orElseThrow();
  }

  private BranchKind kind(PopulationRun run) {
    return run.equals(best) ? BranchKind.MAINLINE : BranchKind.TRIAL;
  }

  private void go(PopulationRun run, double until, Order order) {
    Branch branch = begin(run, until);
    if (!order.rule().equals(Order.ROUTINE)) {
      decide(
          run,
          "until-" + Words.number(until),
          order.rule(),
          "Train run "
              + run.number()
              + " ("
              + Words.setting(run.searched())
              + ") to epoch "
              + Words.number(until)
              + ": "
              + order.why(),
          Evidence.of()
              .with("branch", branch.id().number())
              .with("setting", branch.setting())
              .with("fromEpoch", branch.epochs())
              .with("untilEpoch", until)
              .with(order.evidence()));
    }
  }

  private Branch begin(PopulationRun run, double until) {
    current = run;
    untilEpochs = until;
    Branch branch = run.branch().orElseThrow();
    slices.begin(branch);
    board.show(
        JobState.TUNING,
        "run-running",
        "Run " + run.number() + " to epoch " + Words.number(until) + ", " + bestInWords(),
        "clocks of branch " + branch.id());
    return branch;
  }

  private String bestInWords() {
    return history
        .best()
        .map(entry -> "best " + plan.validation().name() + " " + Words.number(entry.value()))
        .orElse("nothing evaluated yet");
  }

  private void retire(int number) {
    PopulationRun run = run(number);
    if (!run.isRetired()) {
      end(run, "run.end", "it will not be trained on", "policy", BranchState.DISCARDED);
    }
  }

  /// Ends a run: its branch and its checkpoint may go, its results stay.
  private void end(PopulationRun run, String rule, String why, String actor, BranchState state) {
    run.retire();
    host.noteProgress();
    checkpoints.release(run.number());
    boolean isBest = run.equals(best);
    if (run.isHeld()) {
      board.free(run.branch().orElseThrow(), isBest ? BranchState.KEPT : state);
    }
    board.decide(
        key(run, "end"),
        rule,
        "Run " + run.number() + " ends at epoch " + Words.number(run.knownEpochs()) + ": " + why,
        actor,
        0,
        Evidence.of()
            .with("epoch", run.knownEpochs())
            .with("bestScore", run.view().bestScore())
            .with("scores", run.view().results().stream().map(Run.Result::score).toList())
            .with("isBest", isBest)
            .with("branch", run.branch().orElseThrow().id().number()));
  }

  private static String key(PopulationRun run, String part) {
    return "run-" + run.number() + "/" + part;
  }

  private void decide(
      PopulationRun run, String key, String rule, String outcome, Evidence evidence) {
    board.decide(key(run, key), rule, outcome, evidence);
  }

  // The end.

  private void stop(Ending ending) {
    freeAll();
    host.stop(ending);
  }

  /// Frees all but the branch of the result, which stays to be shown, and its checkpoint.
  private void freeAll() {
    board.freeAllButMainline();
    runs.forEach(run -> checkpoints.release(run.number()));
    Branch initial = root;
    if (initial != null && best != null) {
      board.free(initial, BranchState.DISCARDED);
    }
    current = null;
    evaluation = 0;
  }

  @Override
  public Branch mainline() {
    PopulationRun leader = best;
    return leader == null ? rootBranch() : leader.branch().orElseThrow();
  }

  @Override
  public History history() {
    return history;
  }

  @Override
  public void saveResult() {
    // The best evaluation was pinned when it came.
  }

  @Override
  public boolean isResultSaved() {
    return best == null || checkpoints.isBestDurable();
  }

  @Override
  public void checkpointFailed(String outcome) {
    board.show(JobState.TUNING, "checkpoint-failed", outcome, "");
  }

  @Override
  public String stage() {
    return JobState.TUNING.name();
  }

  // People ask.

  @Override
  public Optional<String> retune(String actor) {
    return Optional.of("the policy " + plan.policy() + " has no rounds; it draws its runs itself");
  }

  @Override
  public Optional<String> tryBeside(Setting asked, String actor) {
    Optional<String> refusal = Requests.problemOf(asked, firstSetting(), plan, board.workload());
    if (refusal.isEmpty() && choice.isPresent()) {
      refusal = Optional.of("no other run begins since " + choice.get().actor() + " chose one");
    }
    if (refusal.isEmpty() && wish.isPresent()) {
      refusal = Optional.of("another setting is to be tried first");
    }
    if (refusal.isEmpty()) {
      wish = Optional.of(new Wish(asked, actor));
    }
    return refusal;
  }

  @Override
  public Optional<String> keep(BranchId branch, String actor) {
    Optional<PopulationRun> found = openRun(branch);
    if (found.isEmpty()) {
      return Optional.of(notOpen(branch));
    }
    PopulationRun chosen = found.get();
    choice = Optional.of(new Choice(chosen, actor));
    wish = Optional.empty();
    runs.stream()
        .filter(run -> !run.isRetired() && !run.equals(chosen))
        .forEach(
            run -> giveUp(run, "request.keep", actor + " chose run " + chosen.number(), actor));
    return Optional.empty();
  }

  @Override
  public Optional<String> discard(BranchId branch, String actor) {
    Optional<PopulationRun> found = openRun(branch);
    if (found.isEmpty()) {
      return Optional.of(notOpen(branch));
    }
    if (found.get().equals(best)) {
      return Optional.of("branch " + branch + " is the best so far, the job's result");
    }
    giveUp(found.get(), "request.discard", "given up as " + actor + " asked", actor);
    choice = choice.filter(chosen -> !chosen.run().equals(found.get()));
    return Optional.empty();
  }

  @Override
  public Optional<String> restore(Checkpoints.Mark mark, String actor) {
    return Optional.of(
        "the policy "
            + plan.policy()
            + " has no mainline to go back with; keep branch "
            + mark.branch()
            + " to train on from there");
  }

  private void giveUp(PopulationRun run, String rule, String why, String actor) {
    run.giveUp();
    end(run, rule, why, actor, BranchState.DISCARDED);
    if (run.equals(current)) {
      current = null;
    }
    if (interrupted != null && interrupted.run().equals(run)) {
      interrupted = null;
    }
  }

  private Optional<PopulationRun> openRun(BranchId branch) {
    return runs.stream()
        .filter(run -> !run.isRetired())
        .filter(run -> run.branch().filter(held -> held.id().equals(branch)).isPresent())
        .findFirst();
  }

  private static String notOpen(BranchId branch) {
    return "branch " + branch + " holds no run that is still to be trained on";
  }
}
