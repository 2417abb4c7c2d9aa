package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Prior;
import dev.espalier.api.model.RacingOptions;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.policy.job.Course;
import dev.espalier.tuner.core.policy.job.Ending;
import dev.espalier.tuner.core.policy.job.Endings;
import dev.espalier.tuner.core.policy.job.History;
import dev.espalier.tuner.core.policy.job.Requests;
import dev.espalier.tuner.core.policy.job.WayBack;
import dev.espalier.tuner.core.policy.race.Lap;
import dev.espalier.tuner.core.policy.race.Pace;
import dev.espalier.tuner.core.policy.race.Race;
import dev.espalier.tuner.core.policy.race.TuningBudget;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/*
 * The policy `racing`; docs/TUNING.md tells its story.
 *
 * The job trains at once, with the program's default setting as the incumbent, in laps: a constant
 * rate, then a linear fall to zero. Each lap is longer than the one before by a constant factor of
 * the time so far. At the end of a lap the model is cool: it is evaluated, and kept if it is the best
 * so far; the next lap starts from it at the whole rate. So the best checkpoint is at all times that
 * of a model trained with a decayed rate, whose length nobody had to know.
 *
 * Between laps settings near the incumbent race it, as far as the tuning budget allows. What wins is
 * the incumbent of the next lap, and its race was training. Races that change nothing become rarer
 * and cheaper.
 */

/// Laps of an incumbent, and races of its neighbours between them.
public final class RacingCourse implements Course {
  private final JobPlan plan;
  private final RacingOptions options;
  private final Board board;
  private final Checkpoints checkpoints;
  private final Host host;
  private final Pace pace = new Pace();
  private final RaceTimes times;
  private final RacePlanner planner;
  private final Races races;
  private final LapPlanner laps;
  private final Mainline mainline;
  private final Validation validation;
  private final History history;
  private final Results results;
  private final Bounds bounds;
  private final Outlook outlook;
  private final Safeguard safeguard;
  private final Departures departures;
  private final WayBack back;
  private final RacingDiary diary;

  private @Nullable Lap lap;

  public RacingCourse(Board board, Checkpoints checkpoints, Host host) {
    this.plan = board.plan();
    this.options = plan.racing();
    this.board = board;
    this.checkpoints = checkpoints;
    this.host = host;
    Neighbourhood neighbourhood = neighbourhood(plan);
    var budget = new TuningBudget(board, options.budget());
    this.times = new RaceTimes(options);
    this.planner = new RacePlanner(board, pace, budget, neighbourhood, times);
    this.races = new Races(board, pace, budget, planner);
    this.mainline = new Mainline(board, plan.base().with(plan.space().defaults()));
    this.validation = new Validation(board, options.evaluationShare());
    this.history = new History(plan.validation().goal());
    this.results = new Results(board, checkpoints, mainline, times, history);
    this.bounds = new Bounds(board, pace, mainline, validation);
    this.outlook = new Outlook(options, history);
    this.laps = new LapPlanner(board, pace, times, planner, outlook, bounds);
    this.diary = new RacingDiary(board, history);
    this.safeguard = new Safeguard(board, mainline, neighbourhood, planner, times, history, diary);
    this.departures =
        new Departures(
            board, mainline, neighbourhood, outlook, times, history, validation, safeguard, diary);
    this.back = new WayBack(board, checkpoints, host);
  }

  private static Neighbourhood neighbourhood(JobPlan plan) {
    RacingOptions options = plan.racing();
    List<Setting> wished =
        plan.prior().stream().filter(Prior::hasSetting).map(Prior::setting).toList();
    return new Neighbourhood(plan.space(), options.rateStep(), options.leastRateStep(), wished);
  }

  @Override
  public List<Setting> extremeSettings() {
    // Batches that are too large for the data do not race.
    return List.of(incumbent());
  }

  // Workers come and go.

  @Override
  public void begin() {
    mainline.create();
    diary.first(incumbent(), options.budget());
    planner.reasonForNone().ifPresent(diary::noRaces);
    plan.prior().forEach(diary::prior);
    next();
  }

  @Override
  public void resume() {
    Optional<Checkpoints.Mark> last = checkpoints.lastDurable();
    history.truncate(last.map(Checkpoints.Mark::evaluations).orElse(0));
    outlook.resumed(history.best());
    results.resumed();
    departures.resume(last, checkpoints.chosenSetting());
    next();
  }

  @Override
  public void lose() {
    back.lose();
    departures.lose();
    safeguard.leavePath(Double.NaN);
    mainline.lose();
    validation.forget();
    races.lose();
    lap = null;
  }

  @Override
  public void abandon(String why) {
    races.abandon(why);
  }

  // What is next.

  @Override
  public void advance() {
    Lap current = lap;
    if (races.isRunning()) {
      races.advance().ifPresent(this::conclude);
    } else if (validation.isRunning()) {
      return;
    } else if (current != null) {
      advance(current);
    } else if (back.isWanted()) {
      goBackOnceSaved();
    }
  }

  /// A person who wishes for something waits for what is scheduled, and not for the whole lap; the
  /// first clocks of a job, which tell its pace, run in any case.
  private void advance(Lap current) {
    boolean isToBeCut = isWished() && current.clocks() > 0;
    if (!current.isOver() && !isToBeCut) {
      current.runOn();
    }
    if (current.isOver()) {
      lapOver(current);
    } else if (isToBeCut && current.branch().isAtRest()) {
      current.cutShort();
      lapOver(current);
    }
  }

  private boolean isWished() {
    return races.isWanted() || back.isWanted();
  }

  private void goBackOnceSaved() {
    if (checkpoints.isSettledFor(mainline())) {
      back.take(mainline());
    } else if (!checkpoints.isPendingFor(mainline())) {
      results.save();
      board.show(
          JobState.TRAINING,
          "saving",
          "Writing a checkpoint before going back to " + back.label(),
          "checkpoint");
    }
  }

  private void next() {
    Optional<Ending> bound = bounds.ending();
    if (bound.isPresent() && !validation.hasSeen(mainline())) {
      validation.begin(mainline());
    } else if (bound.isPresent()) {
      host.stop(bound.get());
    } else if (back.isWanted()) {
      goBackOnceSaved();
    } else if (races.isWanted()) {
      startWanted();
    } else if (!isRaceDue() || !races.startDue(mainline(), incumbent())) {
      startLap();
    }
  }

  private void startWanted() {
    if (!races.startWanted(mainline(), incumbent())) {
      diary.nothingToRace(incumbent());
      next();
    }
  }

  private void validateOrNext() {
    if (bounds.ending().isPresent() || validation.isDue(mainline())) {
      validation.begin(mainline());
    } else {
      next();
    }
  }

  // Laps.

  private void startLap() {
    Lap started = laps.next(mainline.nextLap());
    lap = started;
    board.show(JobState.TRAINING, "training", "Training with " + Words.setting(incumbent()), "");
    started.runOn();
  }

  @Override
  public void clockReported(Branch branch, double loss) {
    if (races.isRunning()) {
      races.clockReported(branch, loss);
    } else if (mainline.is(branch) && !Double.isFinite(loss)) {
      rollBack(branch, Endings.overflow(branch, loss));
    }
  }

  private void lapOver(Lap over) {
    lap = null;
    Branch branch = over.branch();
    pace.learn(branch);
    safeguard.lapOver(branch).ifPresentOrElse(what -> rollBack(branch, what), this::validateOrNext);
  }

  private void rollBack(Branch branch, String what) {
    lap = null;
    safeguard
        .rollBack(branch, what)
        .ifPresentOrElse(
            why -> host.fail("diverged", why + "; " + checkpoints.inWords()), this::next);
  }

  // Validation.

  @Override
  public void evaluated(SessionEvent.Evaluated event) {
    if (races.isRunning()) {
      races.evaluated(event);
    } else if (validation.takes(event, mainline())) {
      validated(event);
    }
  }

  private void validated(SessionEvent.Evaluated event) {
    History.Entry result = results.take(event);
    double value = result.value();
    boolean isRefuted = safeguard.isRefuted(value);
    departures.validated(result, isRefuted);
    Optional<Ending> ending = Endings.targetReached(plan, event.metrics()).or(bounds::ending);
    if (ending.isPresent()) {
      results.goesOn();
      host.stop(ending.get());
    } else if (isRefuted) {
      safeguard.undo(value);
      next();
    } else {
      leaveOrGoOn(value);
    }
  }

  private void leaveOrGoOn(double value) {
    // Without any result there is nothing to judge by; the bounds of the job end it.
    boolean isConverged =
        history.best().isPresent()
            && times.isConverged(board.spentSeconds(), history.size(), mainline().epochs());
    if (departures.leaveIfDue(value, bounds.secondsLeft(), isConverged)) {
      // What is left is not saved: workers that are lost soon would go on from there.
      next();
      return;
    }
    results.goesOn();
    if (isConverged) {
      host.stop(converged());
    } else {
      safeguard.agreed(value);
      next();
    }
  }

  private Ending converged() {
    return Ending.completed(
        "converged",
        "Converged: no new best in the last "
            + Words.number(100 * options.patience())
            + "% of the time");
  }

  // Races.

  private boolean isRaceDue() {
    return !outlook.isNewStart()
        && planner.isDue(incumbent(), bounds.secondsLeft(), bounds.epochSecondsLeft());
  }

  private void conclude(Race.Outcome outcome) {
    boolean isAsked = races.finish();
    host.noteProgress();
    outcome.winner().ifPresent(winner -> safeguard.adopt(winner, outcome.isByHand(), isAsked));
    validateOrNext();
  }

  // People ask.

  @Override
  public Optional<String> retune(String actor) {
    Optional<String> refusal = reasonToWait().or(planner::problem).or(planner::nothingSearched);
    if (refusal.isEmpty()) {
      races.want(Optional.empty(), actor);
    }
    return refusal;
  }

  /// While a race runs the setting waits for its end.
  @Override
  public Optional<String> tryBeside(Setting asked, String actor) {
    Optional<String> refusal =
        Requests.problemOf(asked, incumbent(), plan, board.workload())
            .or(this::reasonNotToWish)
            .or(planner::problem);
    if (refusal.isEmpty()) {
      races.want(Optional.of(asked), actor);
    }
    return refusal;
  }

  private Optional<String> reasonToWait() {
    return races.isRunning()
        ? Optional.of("the job is not training but TUNING")
        : reasonNotToWish();
  }

  private Optional<String> reasonNotToWish() {
    return isWished()
        ? Optional.of("a round or another snapshot is due already")
        : Optional.empty();
  }

  @Override
  public Optional<String> keep(BranchId branch, String actor) {
    return races.keep(branch, actor);
  }

  @Override
  public Optional<String> discard(BranchId branch, String actor) {
    return races.discard(branch, actor);
  }

  @Override
  public Optional<String> restore(Checkpoints.Mark mark, String actor) {
    Optional<String> refusal = reasonToWait();
    if (refusal.isEmpty()) {
      back.want(mark, actor);
    }
    return refusal;
  }

  @Override
  public void showCheckpoints(String reason, String outcome) {
    if (!races.isRunning()) {
      board.show(JobState.TRAINING, reason, outcome, "");
    }
  }

  @Override
  public String stage() {
    return races.isRunning() ? "TUNING" : "TRAINING";
  }

  @Override
  public Branch mainline() {
    return mainline.branch();
  }

  private Setting incumbent() {
    return mainline.incumbent();
  }

  @Override
  public History history() {
    return history;
  }

  @Override
  public double valueAt(Checkpoints.Mark mark) {
    return history().valueAt(mark.start().number(), mark.mainlineClock());
  }

  @Override
  public void saveResult() {
    if (history.best().isEmpty()) {
      results.saveAsResult(Double.NaN);
    } else {
      results.saveLostBest();
    }
  }

  @Override
  public boolean isResultSaved() {
    return checkpoints.isBestDurable();
  }
}
