package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Prior;
import dev.espalier.api.model.RacingOptions;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.board.Slices;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.policy.job.Course;
import dev.espalier.tuner.core.policy.job.Ending;
import dev.espalier.tuner.core.policy.job.Endings;
import dev.espalier.tuner.core.policy.job.History;
import dev.espalier.tuner.core.policy.job.Requests;
import dev.espalier.tuner.core.policy.job.WayBack;
import dev.espalier.tuner.core.policy.race.Entrant;
import dev.espalier.tuner.core.policy.race.Lap;
import dev.espalier.tuner.core.policy.race.Move;
import dev.espalier.tuner.core.policy.race.Pace;
import dev.espalier.tuner.core.policy.race.Race;
import dev.espalier.tuner.core.policy.race.TuningBudget;
import dev.espalier.tuner.core.policy.racing.Snapshots.Purpose;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
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
  private static final double CALMER = 3;

  private static final int MAX_ROLL_BACKS_IN_A_ROW = 12;
  private static final double FIRST_GROWTH = 0.5;

  /// A race that is due before the next lap but one ends ends the next lap.
  private static final double MERGE = 1.5;

  private final JobPlan plan;
  private final RacingOptions options;
  private final Board board;
  private final Checkpoints checkpoints;
  private final Host host;
  private final Pace pace = new Pace();
  private final TuningBudget budget;
  private final Neighbourhood neighbourhood;
  private final RaceTimes times;
  private final RacePlanner planner;
  private final History history;
  private final WayBack back;
  private final NewStarts newStarts;
  private final Outlook outlook;
  private final Mainline mainline;
  private final Validation validation;
  private final RacingDiary diary;

  private @Nullable Lap lap;
  private @Nullable Race race;
  private Optional<Guard> guard = Optional.empty();
  private Optional<Wanted> wanted = Optional.empty();
  private double lossBefore = Double.NaN;
  private int rollBacksInARow;
  private int lossesOfStart;

  public RacingCourse(Board board, Checkpoints checkpoints, Host host) {
    this.plan = board.plan();
    this.options = plan.racing();
    this.board = board;
    this.checkpoints = checkpoints;
    this.host = host;
    this.budget = new TuningBudget(board, options.budget());
    this.neighbourhood =
        new Neighbourhood(
            plan.space(),
            options.rateStep(),
            options.leastRateStep(),
            plan.prior().stream().filter(Prior::hasSetting).map(Prior::setting).toList());
    this.times = new RaceTimes(options);
    this.planner = new RacePlanner(board, pace, budget, neighbourhood, times);
    this.history = new History(plan.validation().goal());
    this.newStarts = new NewStarts(neighbourhood, plan.validation().goal());
    this.back = new WayBack(board, checkpoints, host);
    this.outlook = new Outlook(options, plan.validation().goal());
    this.mainline = new Mainline(board, plan.base().with(plan.space().defaults()));
    this.validation = new Validation(board, options.evaluationShare());
    this.diary = new RacingDiary(board, history);
  }

  /// A race that a person asked for.
  private record Wanted(Optional<Setting> setting, String actor) {}

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
    planner.problem().ifPresent(diary::noRaces);
    plan.prior().forEach(diary::prior);
    next();
  }

  @Override
  public void resume() {
    Optional<Checkpoints.Mark> mark = checkpoints.lastDurable();
    Optional<Setting> chosen = checkpoints.chosenSetting();
    chosen.ifPresent(this::goOnWith);
    // A new start that has no checkpoint yet begins once more; a person may go back to any start.
    Optional<Checkpoints.Mark> from =
        mark.filter(good -> chosen.isPresent() || !mainline.hasGivenUp(good));
    if (from.isPresent()) {
      lossesOfStart = 0;
      mainline.restore(from.get());
    } else if (mark.isPresent() && lossesOfStart > 1) {
      giveStartUp(mark.get());
    } else {
      mainline.create();
    }
    history.truncate(mark.map(Checkpoints.Mark::evaluations).orElse(0));
    next();
  }

  /// Workers were lost in a new start again and again, maybe for its setting: another one, or the
  /// model that was there before.
  private void giveStartUp(Checkpoints.Mark before) {
    Setting lost = incumbent();
    Optional<Setting> other = newStarts.next(lost, this::isPossible);
    diary.giveUp(lost, lossesOfStart, other.orElse(before.setting()));
    lossesOfStart = 0;
    if (other.isPresent()) {
      mainline.trainWith(other.get());
      mainline.create();
    } else {
      goOnWith(before.setting());
      mainline.restore(before);
    }
  }

  /// A person went back: what is best is to be found again from there.
  private void goOnWith(Setting restored) {
    mainline.trainWith(restored);
    lossBefore = Double.NaN;
    times.bestAt(board.spentSeconds());
    outlook.wentBack(board.spentSeconds());
  }

  @Override
  public void lose() {
    back.lose();
    lossesOfStart += outlook.isNewStart() ? 1 : 0;
    mainline.lose();
    validation.forget();
    lap = null;
    lossBefore = Double.NaN;
    Race running = race;
    if (running != null) {
      planner.lost(running.plan(), running.running());
      running.interrupted();
      race = null;
    }
    guard = Optional.empty();
  }

  @Override
  public void abandon(String why) {
    Race running = race;
    if (running != null) {
      running.abandon(why);
      race = null;
    }
    wanted = Optional.empty();
  }

  // What is next.

  @Override
  public void advance() {
    Race running = race;
    Lap current = lap;
    if (running != null) {
      running.advance();
      running.outcome().ifPresent(this::conclude);
    } else if (current != null && !validation.isRunning()) {
      if (current.isOver()) {
        lapOver(current);
      } else if (isWished() && current.branch().isAtRest() && current.clocks() > 0) {
        current.cutShort();
        lapOver(current);
      } else if (!isWished()) {
        current.runOn();
        if (current.isOver()) {
          lapOver(current);
        }
      }
    } else if (!validation.isRunning() && back.isWanted()) {
      goBackOnceSaved();
    }
  }

  private boolean isWished() {
    return wanted.isPresent() || back.isWanted();
  }

  private void goBackOnceSaved() {
    if (checkpoints.isSettledFor(mainline())) {
      back.take(mainline());
    } else if (!checkpoints.isPendingFor(mainline())) {
      checkpoints.request(mainline(), history.size(), mainline().wholeEpochs());
      board.show(
          JobState.TRAINING,
          "saving",
          "Writing a checkpoint before going back to " + back.label(),
          "checkpoint");
    }
  }

  private void next() {
    Optional<Ending> bound = bound();
    if (bound.isPresent() && !validation.hasSeen(mainline())) {
      validation.begin(mainline());
    } else if (bound.isPresent()) {
      host.stop(bound.get());
    } else if (back.isWanted()) {
      goBackOnceSaved();
    } else if (wanted.isPresent()) {
      startWanted();
    } else if (isRaceDue()) {
      startRace();
    } else {
      startLap();
    }
  }

  private Optional<Ending> bound() {
    Branch branch = mainline();
    if (board.epochsToGo(branch) <= Branch.EPOCH_ROUNDING) {
      return Optional.of(Endings.maxEpochs(plan.maxEpochs()));
    }
    boolean isTimeUp =
        plan.maxSeconds() > 0 && secondsLeft() < pace.secondsPerClock(incumbent()).orElse(0.0);
    return isTimeUp || board.isTimeUp()
        ? Optional.of(Endings.maxSeconds(plan.maxSeconds()))
        : Optional.empty();
  }

  // Laps.

  private void startLap() {
    Branch next = mainline.nextLap();
    Lap started =
        new Lap(
            board,
            pace,
            next,
            lapSeconds(),
            leastLapClocks(),
            Math.max(1, board.clocksLeft(next)),
            outlook.isNewStart() ? 0 : options.cooldown(),
            Slices.ALONE_EPOCHS);
    lap = started;
    board.show(JobState.TRAINING, "training", "Training with " + Words.setting(incumbent()), "");
    started.runOn();
  }

  /// The next lap ends when the time so far has grown by a factor, or a race is due and affordable,
  /// or at a bound of the job. Before the first race laps are longer, for the first evaluations are
  /// all that is needed.
  private double lapSeconds() {
    double spent = board.spentSeconds();
    double age = outlook.isNewStart() ? outlook.age(spent) : spent;
    double grown = (options.lapGrowth() - 1) * age;
    double untilRace = secondsUntilRace();
    if (planner.races() == 0 && Double.isFinite(untilRace)) {
      grown = Math.max(grown, FIRST_GROWTH * spent);
    }
    double seconds = untilRace > 0 && untilRace < MERGE * grown ? untilRace : grown;
    return Math.min(Math.max(seconds, leastLapSeconds()), secondsLeft());
  }

  private double secondsUntilRace() {
    return outlook.isNewStart()
        ? Double.POSITIVE_INFINITY
        : planner.secondsUntilNext(incumbent(), Math.min(secondsLeft(), epochSecondsLeft()));
  }

  private double leastLapSeconds() {
    return pace.secondsPerClock(incumbent()).orElse(0.0) * leastLapClocks();
  }

  private long leastLapClocks() {
    return times.leastLapClocks(board.workload(), incumbent());
  }

  /// {@return seconds that the bounds of the job still allow; a little is left for the last
  /// evaluation}
  private double secondsLeft() {
    double left = Double.MAX_VALUE;
    if (plan.maxSeconds() > 0) {
      left = Math.max(0, plan.maxSeconds() - board.nowSeconds() - validation.expectedSeconds());
    }
    return left;
  }

  private double epochSecondsLeft() {
    return board.clocksLeft(mainline()) * pace.secondsPerClock(incumbent()).orElse(0.0);
  }

  @Override
  public void clockReported(Branch branch, double loss) {
    Race running = race;
    if (running != null) {
      running.clockReported(branch, loss);
    } else if (mainline.is(branch) && !Double.isFinite(loss)) {
      rollBack(branch, Endings.overflow(branch, loss));
    }
  }

  private void lapOver(Lap over) {
    lap = null;
    Branch branch = over.branch();
    pace.learn(branch);
    double loss = branch.recentLoss();
    if (loss > options.spike() * lossBefore && lossBefore > 0) {
      rollBack(
          branch,
          "The training loss rose from " + Words.number(lossBefore) + " to " + Words.number(loss));
      return;
    }
    lossBefore = loss;
    rollBacksInARow = 0;
    if (isEvaluationDue()) {
      validation.begin(mainline());
    } else {
      next();
    }
  }

  // Validation.

  private boolean isEvaluationDue() {
    return bound().isPresent() || validation.isDue(mainline());
  }

  @Override
  public void evaluated(SessionEvent.Evaluated event) {
    Race running = race;
    if (running != null) {
      running.evaluated(event);
    } else if (validation.takes(event, mainline())) {
      validated(event);
    }
  }

  private void validated(SessionEvent.Evaluated event) {
    Branch branch = mainline();
    double value = event.metrics().getOrDefault(plan.validation().name(), Double.NaN);
    Optional<History.Entry> best = history.best();
    history.add(new History.Entry(branch.mainlineClock(), branch.epochs(), value));
    board.emit(
        new SessionEffect.MainlineEvaluated(
            branch.mainlineClock(), branch.epochs(), event.atSeconds(), event.metrics()));
    board.changed(branch, branch.state());
    boolean isBest =
        !Double.isNaN(value) && (best.isEmpty() || goal().isBetter(value, best.get().value()));
    if (isRefuted(value)) {
      outlook.refuted(value, history.range());
    } else {
      outlook.validated(value, history.range(), board.spentSeconds());
      newStarts.validated(incumbent(), value);
    }
    mainline.validated(isBest);
    if (isBest) {
      times.bestAt(board.spentSeconds());
      board.resultIs(branch, value);
      checkpoints.requestBest(branch, history.size(), branch.wholeEpochs());
    } else if (!checkpoints.isAnyPending()) {
      checkpoints.request(branch, history.size(), branch.wholeEpochs());
    }
    rule(event, value);
  }

  private Goal goal() {
    return plan.validation().goal();
  }

  private void rule(SessionEvent.Evaluated event, double value) {
    Optional<Ending> reached = Endings.targetReached(plan, event.metrics());
    if (reached.isPresent()) {
      host.stop(reached.get());
    } else if (bound().isPresent()) {
      host.stop(bound().get());
    } else if (isRefuted(value)) {
      undo(value);
    } else {
      judgeOutlook(value);
    }
  }

  private boolean isRefuted(double value) {
    return guard.filter(kept -> kept.isRefutedBy(value, history.range(), goal())).isPresent();
  }

  private void judgeOutlook(double value) {
    // Without any result there is nothing to judge by; the bounds of the job end it.
    boolean isConverged =
        history.best().isPresent() && times.isConverged(board.spentSeconds(), history.size());
    switch (outlook.verdict(board.spentSeconds(), secondsLeft(), isConverged)) {
      case RETREAT -> retreat(value, isConverged);
      case RESTART -> restart(value, isConverged);
      case GO_ON -> goOn(isConverged);
    }
  }

  private void goOn(boolean isConverged) {
    if (isConverged) {
      host.stop(
          Ending.completed(
              "converged",
              "Converged: no new best in the last "
                  + Words.number(100 * options.patience())
                  + "% of the time"));
    } else {
      dropGuard();
      next();
    }
  }

  /// Back to the best state with a calmer rate.
  private void retreat(double value, boolean isConverged) {
    Optional<Branch> best = mainline.snapshot(Purpose.BEST);
    Optional<Setting> calmer = neighbourhood.calmer(mainline.bestSetting(), CALMER);
    if (best.isEmpty() || calmer.isEmpty()) {
      // It was lost with workers, or would be left on the same path again.
      outlook.couldNotRetreat();
      goOn(isConverged);
      return;
    }
    outlook.retreated();
    diary.retreat(value, incumbent(), best.get(), calmer.get());
    goOnFrom(best.get(), calmer.get());
  }

  /// From the untrained model, with a neighbour of the best run's setting.
  private void restart(double value, boolean isConverged) {
    Optional<Setting> found =
        isRoomForRun() ? newStarts.next(incumbent(), this::isPossible) : Optional.empty();
    if (found.isPresent()) {
      beginAnew(value, found.get());
    } else if (outlook.mayRetreat()) {
      retreat(value, isConverged);
    } else {
      goOn(isConverged);
    }
  }

  /// A new start needs at least the passes that led to the best.
  private boolean isRoomForRun() {
    double least = history.best().map(History.Entry::epoch).orElse(0.0);
    return board.epochsToGo(mainline()) >= least;
  }

  private boolean isPossible(Setting setting) {
    return board.workload().problemOf(List.of(setting)).isEmpty()
        && !neighbourhood.isExcluded(setting, board.spentSeconds());
  }

  private void beginAnew(double value, Setting fresh) {
    lossesOfStart = 0;
    outlook.restarted(board.spentSeconds());
    diary.restart(value, incumbent(), fresh);
    guard = Optional.empty();
    mainline.beginAnew(fresh);
    validation.beganAnew();
    times.bestAt(board.spentSeconds());
    lossBefore = Double.NaN;
    next();
  }

  private void goOnFrom(Branch from, Setting setting) {
    guard = Optional.empty();
    mainline.goBackTo(from, setting);
    lossBefore = Double.NaN;
    next();
  }

  // Roll-back.

  private void undo(double value) {
    Guard kept = guard.orElseThrow();
    diary.refuted(planner.races(), kept, value, incumbent());
    planner.refuted(kept);
    board.countAsTuning(kept.raceSeconds());
    goOnFrom(mainline.snapshot(Purpose.BEFORE_ADOPTION).orElseThrow(), kept.incumbent());
  }

  private void dropGuard() {
    guard = Optional.empty();
    mainline.dropStateBeforeAdoption();
  }

  /// Undoes a lap that blew up: back to the snapshot it began from, with a smaller rate.
  private void rollBack(Branch branch, String what) {
    Optional<Branch> found = mainline.snapshot(Purpose.LAST_GOOD);
    rollBacksInARow++;
    if (found.isEmpty() || rollBacksInARow > MAX_ROLL_BACKS_IN_A_ROW) {
      host.fail("diverged", what + "; " + checkpoints.inWords());
      return;
    }
    Branch good = found.get();
    neighbourhood.exclude(branch.setting(), times.exclusionEnd(board.spentSeconds()));
    Optional<Setting> calmer =
        guard
            .map(Guard::incumbent)
            .filter(before -> !neighbourhood.isExcluded(before, board.spentSeconds()))
            .or(() -> neighbourhood.calmer(branch.setting(), CALMER));
    if (calmer.isEmpty()) {
      host.fail(
          "diverged",
          what + ", and there is no smaller learning rate to try; " + checkpoints.inWords());
      return;
    }
    diary.rollBack(what, branch, good, calmer.get());
    lap = null;
    goOnFrom(good, calmer.get());
  }

  // Races.

  private boolean isRaceDue() {
    return !outlook.isNewStart() && planner.isDue(incumbent(), secondsLeft(), epochSecondsLeft());
  }

  private void startRace() {
    planner.next(incumbent()).ifPresentOrElse(this::run, this::startLap);
  }

  private void startWanted() {
    Wanted asked = wanted.orElseThrow();
    wanted = Optional.empty();
    planner
        .wanted(incumbent(), asked.setting(), asked.actor())
        .ifPresentOrElse(this::run, this::next);
  }

  private void run(Race.Plan raced) {
    Race started = new Race(board, pace, budget, raced, mainline());
    race = started;
    started.begin();
  }

  private void conclude(Race.Outcome outcome) {
    Race over = race;
    if (over == null) {
      return;
    }
    race = null;
    host.noteProgress();
    planner.over(over.plan(), outcome);
    outcome.winner().ifPresent(winner -> takeOver(winner, outcome.isByHand()));
    if (isEvaluationDue()) {
      validation.begin(mainline());
    } else {
      next();
    }
  }

  /// The parent stays as the snapshot to go back to.
  private void takeOver(Entrant winner, boolean isByHand) {
    Optional<Move> won = winner.move();
    double metric = history.latest();
    boolean isGuarded = won.isPresent() && guard.isEmpty() && !Double.isNaN(metric);
    if (isGuarded) {
      double raced = winner.branch().seconds();
      guard = won.map(move -> new Guard(incumbent(), move, metric, raced, isByHand));
    }
    mainline.adopt(winner.branch(), isGuarded);
  }

  // People ask.

  @Override
  public Optional<String> retune(String actor) {
    Optional<String> refusal = reasonToWait().or(planner::problem);
    if (refusal.isEmpty()) {
      wanted = Optional.of(new Wanted(Optional.empty(), actor));
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
      wanted = Optional.of(new Wanted(Optional.of(asked), actor));
    }
    return refusal;
  }

  private Optional<String> reasonToWait() {
    return race == null ? reasonNotToWish() : Optional.of("the job is not training but TUNING");
  }

  private Optional<String> reasonNotToWish() {
    return isWished()
        ? Optional.of("a round or another snapshot is due already")
        : Optional.empty();
  }

  @Override
  public Optional<String> keep(BranchId branch, String actor) {
    Race running = race;
    return running == null ? Optional.of("no race is running") : running.keep(branch, actor);
  }

  @Override
  public Optional<String> discard(BranchId branch, String actor) {
    Race running = race;
    return running == null ? Optional.of("no race is running") : running.discard(branch, actor);
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
  public void checkpointFailed(String outcome) {
    if (race == null) {
      board.show(JobState.TRAINING, "checkpoint-failed", outcome, "");
    }
  }

  @Override
  public String stage() {
    return race == null ? "TRAINING" : "TUNING";
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
  public void saveResult() {
    if (history.best().isEmpty()) {
      board.resultIs(mainline(), Double.NaN);
      checkpoints.requestBest(mainline(), history.size(), mainline().wholeEpochs());
    }
  }

  @Override
  public boolean isResultSaved() {
    return checkpoints.isBestDurable();
  }
}
