package dev.espalier.tuner.core.policy.population;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Checkpoints;
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
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/*
 * All workers train one run at a time. What is trained next is the planner's: it is asked when a run
 * stands where it was told to go. A run is evaluated at each whole epoch and where it stops, and
 * saved there.
 *
 * A person may ask for a setting, which the next run takes that begins; give a run up, which then
 * is to the planner as if it had diverged; or choose a run, which alone is trained on to its end.
 */

/// Trains the runs of a population, one at a time, as its planner orders.
public final class PopulationCourse implements Course {
  private final JobPlan plan;
  private final Board board;
  private final Checkpoints checkpoints;
  private final Host host;
  private final Planner planner;
  private final Slices slices;
  private final PopulationDiary diary;
  private final Population population;
  private final Wishes wishes;
  private @Nullable PopulationRun current;
  private @Nullable Interrupted interrupted;
  private double untilEpochs;
  private long evaluation;

  /// An order whose workers were lost; it is finished before the planner is asked again.
  private record Interrupted(PopulationRun run, double untilEpochs) {}

  public PopulationCourse(Board board, Checkpoints checkpoints, Host host) {
    this.plan = board.plan();
    this.board = board;
    this.checkpoints = checkpoints;
    this.host = host;
    this.planner = Planners.of(plan.policy(), plan.space(), plan.runs(), plan.seed());
    this.slices = new Slices(board);
    this.diary = new PopulationDiary(board);
    this.population = new Population(board, checkpoints, diary);
    this.wishes = new Wishes(plan);
  }

  @Override
  public List<Setting> extremeSettings() {
    return Workload.extremeSettings(plan.space(), population.firstSetting());
  }

  @Override
  public void begin() {
    population.begin();
  }

  @Override
  public void resume() {
    population.begin();
  }

  @Override
  public void lose() {
    population.lose();
    if (interrupted == null && current != null) {
      interrupted = new Interrupted(current, untilEpochs);
    }
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
    if (run != null && !Double.isFinite(loss) && run.branch().filter(branch::equals).isPresent()) {
      run.diverge();
      String why = "its loss is " + loss + " at clock " + branch.mainlineClock();
      end(run, "run.diverged", why, "policy", BranchState.FAILED);
      current = null;
    }
  }

  @Override
  public void advance() {
    while (current == null) {
      if (board.isTimeUp()) {
        stop(Endings.maxSeconds(board));
        return;
      }
      if (interrupted != null) {
        goOn(interrupted);
        continue;
      }
      Order order = wishes.order(() -> planner.next(population.views()));
      order.retired().forEach(this::retire);
      if (!carryOut(order)) {
        return;
      }
    }
    train(current);
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
    population.saveLostBest(run);
    boolean isThere = branch.epochs() >= untilEpochs - Run.ROUNDING;
    if (run.isNewAt(branch) && (isThere || isAtEpoch(branch) || board.isTimeUp())) {
      evaluation = board.book().nextEvaluation();
      board.command(new BranchCommand.Evaluate(branch.id(), evaluation));
    } else if (board.isTimeUp()) {
      stop(Endings.maxSeconds(board));
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

  /// The next whole epoch that is to be evaluated, or the end of the order, in own clocks; on the
  /// way there the state that is to be saved again.
  private long bound(PopulationRun run, Branch branch) {
    double known = Math.max(run.knownEpochs(), branch.epochs());
    double nextEpoch = Math.floor(known + Run.ROUNDING) + 1;
    double lostBest = population.lostBestOf(run).orElse(Double.POSITIVE_INFINITY);
    return branch.clockOfEpoch(Math.min(Math.min(nextEpoch, untilEpochs), lostBest));
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
        .ifPresent(run -> {
          population.evaluated(run, event);
          Endings.targetReached(plan, event.metrics()).ifPresent(this::stop);
        });
  }

  // What is ordered.

  /// {@return whether a run is under way now}
  private boolean carryOut(Order order) {
    switch (order.step()) {
      case Step.Start(Setting setting, double until) ->
          go(begun(population.start(setting)), until, order);
      case Step.Copy copy -> copy(copy, order);
      case Step.Continue(int number, double until) -> {
        PopulationRun run = population.run(number);
        population.held(run);
        go(run, until, order);
      }
      case Step.Done _ -> {
        stop(Endings.populationDone(order.why()));
        return false;
      }
    }
    return true;
  }

  private PopulationRun begun(PopulationRun run) {
    wishes.runBegan();
    return run;
  }

  /// A source that lost its workers is behind its results: it catches up first, and the planner,
  /// who sees results only, then orders the same again.
  private void copy(Step.Copy copy, Order order) {
    PopulationRun source = population.run(copy.source());
    if (!isCatchingUp(source)) {
      int member = population.run(copy.replaced()).member();
      go(begun(population.copy(source, copy.setting(), member)), copy.untilEpochs(), order);
    }
  }

  private void go(PopulationRun run, double until, Order order) {
    trainUntil(run, until);
    diary.ordered(run, until, order);
  }

  private void goOn(Interrupted order) {
    PopulationRun run = order.run();
    Optional<PopulationRun> source =
        run.source().filter(from -> from.knownEpochs() <= run.startEpochs() + Run.ROUNDING);
    if (source.isPresent() && checkpoints.lastDurableOf(run.number()).isEmpty()) {
      if (isCatchingUp(source.get())) {
        return;
      }
      population.copyAgain(run, source.get());
    }
    interrupted = null;
    population.held(run);
    trainUntil(run, order.untilEpochs());
  }

  /// {@return whether a source that is behind its results is under way to them}
  private boolean isCatchingUp(PopulationRun source) {
    boolean isBehind = population.held(source).epochs() < source.knownEpochs() - Run.ROUNDING;
    if (isBehind) {
      trainUntil(source, source.knownEpochs());
    }
    return isBehind;
  }

  /// Takes a run up, whose branch is held.
  private void trainUntil(PopulationRun run, double until) {
    current = run;
    untilEpochs = until;
    Branch branch = run.branch().orElseThrow();
    slices.begin(branch);
    board.show(
        JobState.TUNING,
        "run-running",
        "Run " + run.number() + " to epoch " + Words.number(until) + ", " + bestInWords(),
        "clocks of branch " + branch.id());
  }

  private String bestInWords() {
    return history()
        .best()
        .map(entry -> "best " + plan.validation().name() + " " + Words.number(entry.value()))
        .orElse("nothing evaluated yet");
  }

  private void retire(int number) {
    PopulationRun run = population.run(number);
    if (!run.isRetired()) {
      end(run, "run.end", "it will not be trained on", "policy", BranchState.DISCARDED);
    }
  }

  private void end(PopulationRun run, String rule, String why, String actor, BranchState state) {
    population.end(run, rule, why, actor, state);
    host.noteProgress();
  }

  // The end.

  private void stop(Ending ending) {
    freeAll();
    host.stop(
        ending.state() == JobState.FAILED || history().best().isPresent()
            ? ending
            : Endings.noResult(population.views().size(), ending));
  }

  private void freeAll() {
    population.freeAll();
    current = null;
    evaluation = 0;
  }

  @Override
  public Branch mainline() {
    return population.mainline();
  }

  @Override
  public History history() {
    return population.history();
  }

  @Override
  public double valueAt(Checkpoints.Mark mark) {
    return population.valueAt(mark);
  }

  @Override
  public void saveResult() {
    // The best evaluation was pinned when it came.
  }

  @Override
  public boolean isResultSaved() {
    return population.best().isEmpty() || checkpoints.isBestDurable();
  }

  @Override
  public void showCheckpoints(String reason, String outcome) {
    board.show(JobState.TUNING, reason, outcome, "");
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
    Optional<String> refusal =
        Requests.problemOf(asked, population.firstSetting(), plan, board.workload())
            .or(wishes::reasonNotToTry);
    if (refusal.isEmpty()) {
      wishes.wantToTry(asked, actor);
    }
    return refusal;
  }

  @Override
  public Optional<String> keep(BranchId branch, String actor) {
    Optional<PopulationRun> found = population.openOn(branch);
    if (found.isEmpty()) {
      return Optional.of(notOpen(branch));
    }
    PopulationRun chosen = found.get();
    wishes.choose(chosen, actor);
    String why = actor + " chose " + chosen.inWords();
    population.open().stream()
        .filter(run -> !run.equals(chosen))
        .forEach(run -> giveUp(run, "request.keep", why, actor));
    return Optional.empty();
  }

  @Override
  public Optional<String> discard(BranchId branch, String actor) {
    Optional<PopulationRun> found = population.openOn(branch);
    if (found.isEmpty()) {
      return Optional.of(notOpen(branch));
    }
    PopulationRun run = found.get();
    if (population.best().filter(run::equals).isPresent()) {
      return Optional.of("branch " + branch + " is the best so far, the job's result");
    }
    giveUp(run, "request.discard", "given up as " + actor + " asked", actor);
    wishes.giveUp(run);
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

  private static String notOpen(BranchId branch) {
    return "branch " + branch + " holds no run that is still to be trained on";
  }
}
