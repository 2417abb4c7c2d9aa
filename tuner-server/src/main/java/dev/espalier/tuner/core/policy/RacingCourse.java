package dev.espalier.tuner.core.policy;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Prior;
import dev.espalier.api.model.RacingOptions;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.Snapshots.Purpose;
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
final class RacingCourse implements Course {
  private static final int FIRST_LAP_CLOCKS = 8;
  private static final double EVALUATION_EPOCHS = 0.25;
  private static final double GUARD_TOLERANCE = 0.03;
  private static final double CALMER = 3;

  /// A first rung, and a second one that is twice as long.
  private static final double WINNERS_LAPS = 3;

  private static final int MAX_ROLL_BACKS_IN_A_ROW = 12;
  private static final double SNAPSHOT_GROWTH = 1.5;
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
  private final History history;
  private final WayBack back;
  private final NewStarts newStarts;
  private final Snapshots snapshots;
  private final Outlook outlook;

  private @Nullable Branch mainline;
  private double snapshotAt;
  private @Nullable Lap lap;
  private @Nullable Race race;
  private Optional<Guard> guard = Optional.empty();
  private Optional<Wanted> wanted = Optional.empty();
  private Setting incumbent;
  private long evaluation;
  private double evaluationCost = Double.NaN;
  private double evaluatedAt;
  private long evaluatedClock = -1;
  private double lossBefore = Double.NaN;
  private int races;
  private int rollBacks;
  private int rollBacksInARow;
  private int retreats;
  private boolean isAtBest;
  private Setting bestSetting;

  RacingCourse(Board board, Checkpoints checkpoints, Host host) {
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
    this.history = new History(plan.validation().goal());
    this.newStarts = new NewStarts(neighbourhood, plan.validation().goal());
    this.back = new WayBack(board, checkpoints, host);
    this.snapshots = new Snapshots(board);
    this.outlook = new Outlook(options, plan.validation().goal());
    this.incumbent = plan.base().with(plan.space().defaults());
    this.bestSetting = incumbent;
  }

  /// What stood before a challenger was adopted, until the validation data agree.
  private record Guard(Setting incumbent, Neighbourhood.Move move, double metric) {}

  /// A race that a person asked for.
  private record Wanted(Optional<Setting> setting, String actor) {}

  @Override
  public List<Setting> extremeSettings() {
    // Batches that are too large for the data do not race.
    return List.of(incumbent);
  }

  // Workers come and go.

  @Override
  public void begin() {
    lead(board.createFirst(incumbent));
    board.decide(
        "setting",
        "racing.first",
        "Train with "
            + Words.setting(incumbent)
            + " at once; others race it as the budget of "
            + Words.number(100 * options.budget())
            + "% allows",
        Evidence.of().with("setting", incumbent).with("budget", options.budget()));
    plan.prior().forEach(this::tellPrior);
    next();
  }

  private void tellPrior(Prior prior) {
    String found =
        "Job "
            + prior.job()
            + (prior.sameData() ? " of the same program and data" : " of the same program")
            + " reached "
            + prior.metric()
            + " "
            + Words.number(prior.value());
    String notes = prior.notes().isEmpty() ? "" : " (" + String.join("; ", prior.notes()) + ")";
    board.decide(
        "prior/" + prior.job(),
        "racing.prior",
        prior.hasSetting()
            ? found + " with " + Words.setting(prior.setting()) + notes + ": that races first"
            : found + ", but its setting is of no use here" + notes,
        Evidence.of()
            .with("job", prior.job())
            .with("setting", prior.setting())
            .with("metric", prior.metric())
            .with("value", prior.value())
            .with("epoch", prior.epoch())
            .with("sameData", prior.sameData())
            .with("notes", prior.notes()));
  }

  @Override
  public void resume() {
    Optional<Checkpoints.Mark> mark = checkpoints.lastDurable();
    checkpoints.chosenSetting().ifPresent(this::goOnWith);
    if (mark.isPresent()) {
      lead(board.restore(mark.get(), incumbent));
      history.truncate(mark.get().evaluations());
    } else {
      lead(board.createFirst(incumbent));
      history.truncate(0);
    }
    next();
  }

  /// A person went back: what is best is to be found again from there.
  private void goOnWith(Setting restored) {
    incumbent = restored;
    lossBefore = Double.NaN;
    times.bestAt(board.spentSeconds());
    outlook.newLine(board.spentSeconds());
  }

  @Override
  public void lose() {
    back.forget();
    mainline = null;
    snapshots.forget();
    isAtBest = false;
    lap = null;
    race = null;
    guard = Optional.empty();
    evaluation = 0;
    evaluatedClock = -1;
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
    } else if (current != null && evaluation == 0) {
      if (current.isOver()) {
        lapOver(current);
      } else if (isWished() && current.branch().isAtRest() && current.clocks() > 0) {
        current.cutShort();
        lapOver(current);
      } else if (!isWished()) {
        current.runOn();
      }
    } else if (evaluation == 0 && back.isWanted()) {
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
    if (bound.isPresent() && evaluatedClock != mainline().mainlineClock()) {
      evaluate();
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
    if (plan.maxEpochs() > 0 && branch.epochs() >= plan.maxEpochs() - Branch.EPOCH_ROUNDING) {
      return Optional.of(Endings.maxEpochs(plan.maxEpochs()));
    }
    boolean isTimeUp =
        plan.maxSeconds() > 0 && secondsLeft() < pace.secondsPerClock(incumbent).orElse(0.0);
    return isTimeUp || board.isTimeUp()
        ? Optional.of(Endings.maxSeconds(plan.maxSeconds()))
        : Optional.empty();
  }

  // Laps.

  private void startLap() {
    Branch next = isSnapshotDue() ? forkFromSnapshot() : mainline();
    Lap started =
        new Lap(
            board,
            pace,
            next,
            lapSeconds(),
            FIRST_LAP_CLOCKS,
            Math.max(1, board.clocksLeft(next)),
            outlook.isNewStart() ? 0 : options.cooldown(),
            Trainer.ALONE_EPOCHS);
    lap = started;
    board.show(JobState.TRAINING, "training", "Training with " + Words.setting(incumbent), "");
    started.runOn();
  }

  /// A lap that blows up is undone, so now and then the state before it is kept; so is the best
  /// state; and where the setting changes there is a new branch, for a setting belongs to one.
  private boolean isSnapshotDue() {
    return isAtBest
        || snapshots.of(Purpose.LAST_GOOD).isEmpty()
        || board.spentSeconds() > SNAPSHOT_GROWTH * snapshotAt
        || !mainline().setting().equals(incumbent);
  }

  private Branch forkFromSnapshot() {
    Branch from = mainline();
    keepSnapshot(from);
    Branch next = board.fork(from, BranchKind.MAINLINE, 0, incumbent);
    lead(next);
    return next;
  }

  private void keepSnapshot(Branch from) {
    if (isAtBest) {
      snapshots.keep(Purpose.BEST, from);
      isAtBest = false;
    }
    snapshots.keep(Purpose.LAST_GOOD, from);
    snapshotAt = board.spentSeconds();
  }

  private void lead(Branch next) {
    boolean isNews = mainline == null || !mainline.setting().equals(next.setting());
    mainline = next;
    if (isNews) {
      board.emit(
          new SessionEffect.ScheduleChanged(
              next.mainlineClock(), next.epochs(), next.setting(), next.id()));
    }
  }

  /// The next lap ends when the time so far has grown by a factor, or a race is due and affordable,
  /// or at a bound of the job. Before the first race laps are longer, for the first evaluations are
  /// all that is needed.
  private double lapSeconds() {
    double spent = board.spentSeconds();
    double age = outlook.isNewStart() ? outlook.age(spent) : spent;
    double grown = (options.lapGrowth() - 1) * age;
    double untilRace = secondsUntilRace(spent);
    if (races == 0 && Double.isFinite(untilRace)) {
      grown = Math.max(grown, FIRST_GROWTH * spent);
    }
    double seconds = untilRace > 0 && untilRace < MERGE * grown ? untilRace : grown;
    return Math.min(Math.max(seconds, leastLapSeconds()), secondsLeft());
  }

  private double secondsUntilRace(double spent) {
    return plan.space().dimensions() == 0 || outlook.isNewStart()
        ? Double.POSITIVE_INFINITY
        : times.secondsUntilRace(
            budget, pace, incumbent, board.workload(), spent, trainingSecondsLeft());
  }

  private double leastLapSeconds() {
    return pace.secondsPerClock(incumbent).orElse(0.0) * FIRST_LAP_CLOCKS;
  }

  /// {@return seconds that the bounds of the job still allow; a little is left for the last
  /// evaluation}
  private double secondsLeft() {
    double left = Double.MAX_VALUE;
    if (plan.maxSeconds() > 0) {
      double reserve = Double.isNaN(evaluationCost) ? 0 : evaluationCost;
      left = Math.max(0, plan.maxSeconds() - board.nowSeconds() - reserve);
    }
    return left;
  }

  private double trainingSecondsLeft() {
    return Math.min(secondsLeft(), epochSecondsLeft());
  }

  private double epochSecondsLeft() {
    return board.clocksLeft(mainline()) * pace.secondsPerClock(incumbent).orElse(0.0);
  }

  @Override
  public void clockReported(Branch branch, double loss) {
    Race running = race;
    if (running != null) {
      running.clockReported(branch, loss);
    } else if (branch.equals(mainline) && !Double.isFinite(loss)) {
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
      evaluate();
    } else {
      next();
    }
  }

  // Validation.

  private boolean isEvaluationDue() {
    if (bound().isPresent()) {
      return true;
    }
    if (Double.isNaN(evaluationCost)) {
      return mainline().epochs() >= EVALUATION_EPOCHS;
    }
    return board.spentSeconds() - evaluatedAt >= evaluationCost / options.evaluationShare();
  }

  private void evaluate() {
    evaluation = board.book().nextEvaluation();
    board.command(new BranchCommand.Evaluate(mainline().id(), evaluation));
  }

  @Override
  public void evaluated(SessionEvent.Evaluated event) {
    Race running = race;
    if (running != null) {
      running.evaluated(event);
    } else if (evaluation != 0 && event.evaluation() == evaluation) {
      evaluation = 0;
      validated(event);
    }
  }

  private void validated(SessionEvent.Evaluated event) {
    Branch branch = mainline();
    board.spendOnEvaluation(event.seconds());
    evaluationCost = event.seconds();
    evaluatedAt = board.spentSeconds();
    evaluatedClock = branch.mainlineClock();
    double value = event.metrics().getOrDefault(plan.validation().name(), Double.NaN);
    Optional<History.Entry> best = history.best();
    history.add(new History.Entry(branch.mainlineClock(), branch.epochs(), value));
    board.emit(
        new SessionEffect.MainlineEvaluated(
            branch.mainlineClock(), branch.epochs(), event.atSeconds(), event.metrics()));
    board.changed(branch, branch.state());
    boolean isBest =
        !Double.isNaN(value) && (best.isEmpty() || goal().isBetter(value, best.get().value()));
    outlook.validated(value, history.range(), board.spentSeconds());
    newStarts.validated(incumbent, value);
    isAtBest = isBest;
    if (isBest) {
      bestSetting = incumbent;
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

  private void judgeOutlook(double value) {
    boolean isConverged = times.isConverged(board.spentSeconds(), history.size());
    switch (outlook.verdict(board.spentSeconds(), secondsLeft(), isConverged)) {
      case RETREAT -> retreat(value);
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
  private void retreat(double value) {
    outlook.retreated();
    Optional<Branch> best = snapshots.of(Purpose.BEST);
    if (best.isEmpty()) {
      dropGuard();
      next();
      return;
    }
    retreats++;
    Setting calmer = neighbourhood.calmer(bestSetting, CALMER);
    board.decide(
        "retreat-" + retreats,
        "racing.retreat",
        sinceBest(value)
            + ": go back to clock "
            + best.get().mainlineClock()
            + " and go on with "
            + Words.setting(calmer),
        evidenceOf(value).with("goBackTo", best.get().mainlineClock()).with("next", calmer));
    goOnFrom(best.get(), calmer);
  }

  /// From the untrained model, with a neighbour of the best run's setting.
  private void restart(double value, boolean isConverged) {
    Optional<Setting> found = newStarts.next(incumbent, this::isPossible);
    if (found.isPresent()) {
      beginAnew(value, found.get());
    } else if (outlook.mayRetreat()) {
      retreat(value);
    } else {
      goOn(isConverged);
    }
  }

  private boolean isPossible(Setting setting) {
    return board.workload().problemOf(List.of(setting)).isEmpty()
        && !neighbourhood.isExcluded(setting, board.spentSeconds());
  }

  private void beginAnew(double value, Setting fresh) {
    outlook.restarted(board.spentSeconds());
    board.decide(
        "restart-" + outlook.restarts(),
        "racing.restart",
        sinceBest(value) + ": begin anew with " + Words.setting(fresh),
        evidenceOf(value).with("next", fresh));
    Branch left = mainline();
    guard = Optional.empty();
    incumbent = fresh;
    lead(board.createFirst(fresh));
    board.free(left, BranchState.DISCARDED);
    snapshots.release(Purpose.BEFORE_ADOPTION);
    snapshots.release(Purpose.LAST_GOOD);
    times.bestAt(board.spentSeconds());
    lossBefore = Double.NaN;
    isAtBest = false;
    next();
  }

  private String sinceBest(double value) {
    return plan.validation().name()
        + " is "
        + Words.number(value)
        + ", no better than "
        + history
            .best()
            .map(best -> Words.number(best.value()) + " at clock " + best.mainlineClock())
            .orElse("before");
  }

  private Evidence evidenceOf(double value) {
    return Evidence.of()
        .with("value", value)
        .with("best", history.best().map(History.Entry::value).orElse(Double.NaN))
        .with("range", history.range())
        .with("setting", incumbent)
        .with("spentSeconds", board.spentSeconds());
  }

  /// Leaves the mainline for a child of a snapshot.
  private void goOnFrom(Branch from, Setting setting) {
    Branch left = mainline();
    guard = Optional.empty();
    incumbent = setting;
    lead(board.fork(from, BranchKind.MAINLINE, 0, setting));
    snapshots.keep(Purpose.LAST_GOOD, from);
    snapshots.release(Purpose.BEFORE_ADOPTION);
    snapshotAt = board.spentSeconds();
    snapshots.freeUnlessKept(left, BranchState.DISCARDED);
    lossBefore = Double.NaN;
    isAtBest = false;
    next();
  }

  // Roll-back.

  private boolean isRefuted(double value) {
    if (guard.isEmpty() || Double.isNaN(guard.get().metric())) {
      return false;
    }
    double before = guard.get().metric();
    double tolerance = GUARD_TOLERANCE * history.range();
    return Double.isNaN(value)
        || (goal().isBetter(before, value) && Math.abs(before - value) > tolerance);
  }

  private void undo(double value) {
    Guard kept = guard.orElseThrow();
    board.decide(
        "guard-" + races,
        "racing.guard",
        plan.validation().name()
            + " fell from "
            + Words.number(kept.metric())
            + " to "
            + Words.number(value)
            + " since "
            + Words.setting(incumbent)
            + " was adopted: go back to "
            + Words.setting(kept.incumbent()),
        Evidence.of()
            .with("before", kept.metric())
            .with("after", value)
            .with("range", history.range())
            .with("tolerance", GUARD_TOLERANCE)
            .with("setting", incumbent)
            .with("goBackTo", kept.incumbent()));
    neighbourhood.learn(List.of(kept.move()), Optional.empty(), Optional.empty());
    goOnFrom(snapshots.of(Purpose.BEFORE_ADOPTION).orElseThrow(), kept.incumbent());
  }

  private void dropGuard() {
    guard = Optional.empty();
    snapshots.release(Purpose.BEFORE_ADOPTION);
  }

  /// Undoes a lap that blew up: back to the snapshot it began from, with a smaller rate.
  private void rollBack(Branch branch, String what) {
    Optional<Branch> found = snapshots.of(Purpose.LAST_GOOD);
    rollBacks++;
    rollBacksInARow++;
    if (found.isEmpty() || rollBacksInARow > MAX_ROLL_BACKS_IN_A_ROW) {
      host.fail("diverged", what + "; " + checkpoints.inWords());
      return;
    }
    Branch good = found.get();
    neighbourhood.exclude(branch.setting(), times.exclusionEnd(board.spentSeconds()));
    Setting calmer =
        guard
            .map(Guard::incumbent)
            .filter(before -> !neighbourhood.isExcluded(before, board.spentSeconds()))
            .orElse(neighbourhood.calmer(branch.setting(), CALMER));
    board.decide(
        "rollback-" + rollBacks,
        "racing.rollback",
        what
            + ": go back to clock "
            + good.mainlineClock()
            + " and go on with "
            + Words.setting(calmer),
        Evidence.of()
            .with("mainlineClock", branch.mainlineClock())
            .with("setting", branch.setting())
            .with("goBackTo", good.mainlineClock())
            .with("next", calmer));
    lap = null;
    goOnFrom(good, calmer);
  }

  // Races.

  private boolean isRaceDue() {
    return plan.space().dimensions() > 0
        && !outlook.isNewStart()
        && times.secondsUntilDue(board.spentSeconds()) <= 0
        && pace.secondsPerClock(incumbent).isPresent()
        && secondsLeft() >= options.budget() * board.spentSeconds()
        && raceSize().filter(this::pays).isPresent();
  }

  /// What a race finds must be of use for as long as its winner races: a race right before the last
  /// epoch is over costs, and gains nothing.
  private boolean pays(RaceTimes.Size size) {
    return epochSecondsLeft() >= 2 * WINNERS_LAPS * size.trialSeconds();
  }

  private Optional<RaceTimes.Size> raceSize() {
    return times.size(budget, pace, incumbent, board.workload(), board.spentSeconds());
  }

  private void startRace() {
    RaceTimes.Size size = raceSize().orElseThrow();
    List<Neighbourhood.Move> moves = challengers(size.challengers());
    if (moves.isEmpty()) {
      times.nothingToRace(board.spentSeconds());
      startLap();
      return;
    }
    races++;
    RoundTrigger trigger = races == 1 ? RoundTrigger.INITIAL : RoundTrigger.RETUNE;
    run(
        new Race.Plan(
            races,
            trigger,
            "race " + races,
            moves,
            size.trialSeconds(),
            board.spentSeconds(),
            size.probeSamples(),
            true,
            "policy"));
  }

  private List<Neighbourhood.Move> challengers(int count) {
    return neighbourhood.propose(
        incumbent,
        count,
        board.spentSeconds(),
        setting -> board.workload().problemOf(List.of(setting)).isEmpty());
  }

  private void startWanted() {
    Wanted asked = wanted.orElseThrow();
    wanted = Optional.empty();
    List<Neighbourhood.Move> moves =
        asked
            .setting()
            .map(setting -> List.of(new Neighbourhood.Move("asked", true, incumbent.with(setting))))
            .orElseGet(() -> challengers(options.challengers()));
    if (moves.isEmpty()) {
      next();
      return;
    }
    races++;
    run(
        new Race.Plan(
            races,
            RoundTrigger.MANUAL,
            "race " + races,
            moves,
            times.manualTrialSeconds(board.spentSeconds(), pace, incumbent),
            board.spentSeconds(),
            Math.max(1, options.probeSamples()),
            false,
            asked.actor()));
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
    Optional<Neighbourhood.Move> won = outcome.winner().flatMap(Entrant::move);
    if (!outcome.isByHand()) {
      neighbourhood.learn(over.plan().challengers(), won, outcome.open());
    }
    times.raced(board.spentSeconds(), won.isPresent(), outcome.open().isPresent());
    outcome.winner().ifPresent(winner -> takeOver(winner, won));
    if (isEvaluationDue()) {
      evaluate();
    } else {
      next();
    }
  }

  /// The parent stays as the snapshot to go back to.
  private void takeOver(Entrant winner, Optional<Neighbourhood.Move> won) {
    Branch before = mainline();
    double metric = history.latest();
    board.adoptBeside(winner.branch(), before);
    keepSnapshot(before);
    if (won.isPresent() && guard.isEmpty() && !Double.isNaN(metric)) {
      guard = won.map(move -> new Guard(incumbent, move, metric));
      snapshots.keep(Purpose.BEFORE_ADOPTION, before);
    }
    incumbent = winner.branch().setting();
    lead(winner.branch());
  }

  // People ask.

  @Override
  public Optional<String> retune(String actor) {
    return want(new Wanted(Optional.empty(), actor));
  }

  @Override
  public Optional<String> tryBeside(Setting asked, String actor) {
    Optional<String> refusal = Requests.problemOf(asked, incumbent, plan, board.workload());
    return refusal.isPresent() ? refusal : want(new Wanted(Optional.of(asked), actor));
  }

  private Optional<String> want(Wanted asked) {
    Optional<String> refusal = reasonToWait();
    if (refusal.isEmpty()) {
      wanted = Optional.of(asked);
    }
    return refusal;
  }

  private Optional<String> reasonToWait() {
    if (race != null) {
      return Optional.of("the job is not training but TUNING");
    }
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
    Branch branch = mainline;
    if (branch == null) {
      throw new IllegalStateException("no mainline branch");
    }
    return branch;
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
