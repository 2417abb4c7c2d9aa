package dev.espalier.tuner.core.policy;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.JobState;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.TuningSession;
import java.util.List;
import java.util.Optional;

/*
 * The life of a job, the same for every policy:
 *
 *   STARTING --ready--> TUNING <--> TRAINING --> STOPPING --> ended
 *       ^                  |            |
 *       +---- workers lost +------------+
 *
 * After each clock, and after each other event, `advance` looks at where things stand and does what
 * is next. A run of clocks is taken apart into single clocks first, so it does not matter in what
 * pieces workers report.
 */

/// A job as a state machine over events.
final class JobSession implements TuningSession {
  /// Losses of workers without a new checkpoint or round in between that end a job.
  static final int MAX_LOSSES_WITHOUT_PROGRESS = 5;

  private enum Stage {
    STARTING,
    TUNING,
    TRAINING,
    STOPPING,
    ENDED
  }

  private final JobPlan plan;
  private final Strategy strategy;
  private final Board board;
  private final Checkpoints checkpoints;
  private final Trainer trainer;
  private final Rounds rounds;
  private Stage stage = Stage.STARTING;
  private Optional<Ending> ending = Optional.empty();
  private int generation = 1;
  private boolean hasWorkers;
  private boolean wasReady;
  private int recoveries;
  private int lossesWithoutProgress;
  private int requests;

  JobSession(JobPlan plan, Strategy strategy) {
    this.plan = plan;
    this.strategy = strategy;
    this.board = new Board(plan);
    this.checkpoints = new Checkpoints(board);
    this.trainer = new Trainer(board, strategy, checkpoints);
    this.rounds = new Rounds(board);
  }

  @Override
  public List<SessionEffect> start() {
    board.show(
        JobState.STARTING,
        "starting",
        "Starting " + Words.count(plan.workers(), "worker"),
        "workers");
    board.emit(new SessionEffect.LaunchWorkers(generation));
    return board.takeEffects();
  }

  @Override
  public boolean isEnded() {
    return stage == Stage.ENDED;
  }

  @Override
  public List<SessionEffect> step(SessionEvent event) {
    if (stage == Stage.ENDED) {
      return List.of();
    }
    if (event instanceof SessionEvent.Progressed progressed) {
      progressed(progressed);
    } else {
      board.moveTo(event.atSeconds());
      handle(event);
      advance();
    }
    return board.takeEffects();
  }

  private void handle(SessionEvent event) {
    switch (event) {
      case SessionEvent.WorkersReady ready -> workersReady(ready);
      case SessionEvent.Progressed progressed -> progressed(progressed);
      case SessionEvent.Evaluated evaluated -> evaluated(evaluated);
      case SessionEvent.CheckpointWritten written -> checkpointWritten(written);
      case SessionEvent.CheckpointFailed failed -> checkpointFailed(failed);
      case SessionEvent.WorkersLost lost -> workersLost(lost);
      case SessionEvent.ProgramFailed failed -> fail(failed.code(), failed.message());
      case SessionEvent.Requested requested -> requested(requested);
    }
  }

  // Workers come.

  private void workersReady(SessionEvent.WorkersReady ready) {
    if (ready.generation() != generation || hasWorkers || stage != Stage.STARTING) {
      return;
    }
    hasWorkers = true;
    var workload = new Workload(ready.workers(), ready.trainingSamples(), ready.defaultBatchSize());
    board.workersAre(workload);
    Optional<String> problem = workload.problemOf(strategy.extremeSettings());
    if (problem.isPresent()) {
      fail("INVALID_JOB", problem.get());
      return;
    }
    if (board.isPaused()) {
      board.emit(new SessionEffect.Hold(true));
    }
    if (wasReady) {
      recover();
    } else {
      wasReady = true;
      firstBranch();
    }
  }

  private void firstBranch() {
    trainer.begin(board.createFirst(strategy.firstSetting()));
    if (strategy.isTuning()) {
      rounds.startInitial(mainline());
      stage = Stage.TUNING;
      return;
    }
    board.decide(
        "setting",
        "fixed.setting",
        "Train with " + Words.setting(mainline().setting()) + "; nothing is searched",
        Evidence.of()
            .with("setting", mainline().setting())
            .with("steps", plan.schedule().size())
            .with("clocksPerEpoch", mainline().clocksPerEpoch()));
    train();
  }

  private void recover() {
    checkpoints.dropPending();
    Optional<Checkpoints.Mark> mark = checkpoints.lastDurable();
    if (mark.isPresent()) {
      var setting = strategy.settingAt(mark.get().mainlineClock(), rounds.settingOr(strategy));
      trainer.begin(board.restore(mark.get(), setting), mark.get());
    } else {
      var setting = strategy.settingAt(0, rounds.settingOr(strategy));
      trainer.begin(board.createFirst(setting));
    }
    if (rounds.startAgain(mainline())) {
      stage = Stage.TUNING;
    } else {
      train();
    }
  }

  // Workers report.

  private void progressed(SessionEvent.Progressed event) {
    Optional<Branch> known = board.branch(event.branch());
    if (known.isEmpty()) {
      return;
    }
    Branch branch = known.get();
    double left = event.seconds().stream().mapToDouble(Double::doubleValue).sum();
    for (int i = 0; i < event.losses().size() && stage != Stage.ENDED; i++) {
      left -= event.seconds().get(i);
      board.moveTo(event.atSeconds() - Math.max(left, 0));
      clock(branch, event.seconds().get(i), event.losses().get(i));
    }
  }

  private void clock(Branch branch, double seconds, double loss) {
    board.count(branch, seconds, loss);
    if (isMainline(branch) && !Double.isFinite(loss) && stage != Stage.STOPPING) {
      mainlineOverflowed(branch, loss);
      return;
    }
    if (stage == Stage.TUNING && branch.isAlive()) {
      rounds.clockReported(branch);
    }
    advance();
  }

  private boolean isMainline(Branch branch) {
    return trainer.mainline().filter(mainline -> mainline.equals(branch)).isPresent();
  }

  private void mainlineOverflowed(Branch branch, double loss) {
    fail(
        "diverged",
        "The training loss is "
            + loss
            + " at clock "
            + branch.mainlineClock()
            + " with "
            + Words.setting(branch.setting())
            + "; "
            + checkpoints.inWords());
  }

  private void evaluated(SessionEvent.Evaluated event) {
    if (!trainer.evaluated(event) || stage != Stage.TRAINING) {
      return;
    }
    if (!checkpoints.isAnyPending()) {
      trainer.checkpoint();
    }
    rule(event);
  }

  private void rule(SessionEvent.Evaluated event) {
    String metric = plan.validation().name();
    Double value = event.metrics().get(metric);
    if (value != null && isTargetReached(value)) {
      stop(Endings.targetReached(metric, value, plan.target()));
      return;
    }
    Optional<Ending> bound = trainer.ending();
    if (bound.isPresent()) {
      stop(bound.get());
      return;
    }
    switch (strategy.afterEvaluation(trainer.history(), rounds.retunes())) {
      case Ruling.GoOn _ -> {}
      case Ruling.Retune _ -> plateau();
      case Ruling.End end -> stop(end.ending());
    }
  }

  private boolean isTargetReached(double value) {
    return value == plan.target() || plan.validation().goal().isBetter(value, plan.target());
  }

  private void plateau() {
    int patience = plan.options().retunePlateauEpochs();
    board.decide(
        "plateau-" + (rounds.retunes() + 1),
        "mltuner.plateau",
        "No new best in the last " + Words.count(patience, "evaluation") + ": tune again",
        Evidence.of()
            .with("retunePlateauEpochs", patience)
            .with("epoch", mainline().epochs())
            .with("metric", plan.validation().name())
            .with("history", trainer.history().values()));
    rounds.wantRetune(mainline());
  }

  private void checkpointWritten(SessionEvent.CheckpointWritten event) {
    if (checkpoints.written(event.checkpoint())) {
      lossesWithoutProgress = 0;
    }
  }

  private void checkpointFailed(SessionEvent.CheckpointFailed event) {
    if (!checkpoints.failed(event.checkpoint())) {
      return;
    }
    String outcome =
        "Checkpoint "
            + event.checkpoint()
            + " failed ("
            + event.message()
            + "); the job goes on, and "
            + checkpoints.inWords();
    board.decide(
        "checkpoint-" + event.checkpoint() + "/failed",
        "job.checkpoint",
        outcome,
        Evidence.of().with("checkpoint", event.checkpoint()).with("message", event.message()));
    if (stage == Stage.TRAINING) {
      board.show(JobState.TRAINING, "checkpoint-failed", outcome, "");
    }
  }

  // What is next.

  private void advance() {
    switch (stage) {
      case STARTING, ENDED -> {}
      case TUNING -> rounds.outcome().ifPresent(this::conclude);
      case TRAINING -> advanceTraining();
      case STOPPING -> endIfSaved();
    }
  }

  private void advanceTraining() {
    if (!trainer.isAtRest()) {
      if (!rounds.isWanted()) {
        trainer.runOn();
      }
      return;
    }
    Optional<Ending> bound = trainer.ending();
    if (trainer.needsEvaluation()) {
      trainer.evaluate();
    } else if (bound.isPresent()) {
      stop(bound.get());
    } else if (rounds.isWanted()) {
      startRoundOnceSaved();
    } else {
      trainer.changeSettingIfDue();
      trainer.runOn();
    }
  }

  /// A round starts from a state that is durable, so that it can start again.
  private void startRoundOnceSaved() {
    if (mainline().mainlineClock() > 0 && !checkpoints.isSettledFor(mainline())) {
      trainer.checkpoint();
      board.show(
          JobState.TRAINING,
          "saving",
          "Writing a checkpoint before " + rounds.wantedInWords(),
          "checkpoint");
      return;
    }
    rounds.startWanted(mainline());
    stage = Stage.TUNING;
  }

  private void conclude(Round.Outcome outcome) {
    Round round = rounds.finish();
    lossesWithoutProgress = 0;
    if (outcome.winner().isPresent()) {
      Branch winner = outcome.winner().get().branch();
      board.adopt(winner, round.parent());
      trainer.takeOver(winner);
      trainer.checkpoint();
      train();
      advance();
      return;
    }
    nothingLearns(round, outcome.why());
  }

  private void nothingLearns(Round round, String why) {
    if (board.isTimeUp()) {
      stop(Endings.maxSeconds(plan.maxSeconds()));
      return;
    }
    switch (round.plan().trigger()) {
      case INITIAL ->
          fail(
              "nothing-learns",
              "None of the "
                  + Words.count(round.trials(), "setting")
                  + " tried makes the loss fall: "
                  + why
                  + ". Widen the search space, or check the program and its data");
      case RETUNE -> stop(Endings.nothingLearns());
      case MANUAL -> {
        train();
        advance();
      }
    }
  }

  private void train() {
    stage = Stage.TRAINING;
    board.show(
        JobState.TRAINING, "training", "Training with " + Words.setting(mainline().setting()), "");
  }

  private Branch mainline() {
    return trainer.mainline().orElseThrow(() -> new IllegalStateException("no mainline branch"));
  }

  // The end.

  private void stop(Ending how) {
    ending = Optional.of(how);
    stage = Stage.STOPPING;
    if (board.isPaused()) {
      board.resume();
    }
    board.decide(
        "end",
        "job." + how.reason(),
        how.message() + bestInWords(),
        Evidence.of()
            .with("metric", plan.validation().name())
            .with("history", trainer.history().values())
            .with("epoch", mainline().epochs())
            .with("seconds", board.nowSeconds()));
    board.show(
        JobState.STOPPING,
        how.reason(),
        how.message() + "; writing the last checkpoint",
        "checkpoint");
    trainer.checkpoint();
    endIfSaved();
  }

  private void endIfSaved() {
    if (!checkpoints.isAnyPending()) {
      board.command(new BranchCommand.Stop());
      board.changed(mainline(), BranchState.KEPT);
      end(checkpoints.isDurableFor(mainline()) ? "" : "; " + checkpoints.inWords());
    }
  }

  private void end(String remark) {
    ending.ifPresent(
        how -> board.show(how.state(), how.reason(), how.message() + bestInWords() + remark, ""));
    stage = Stage.ENDED;
  }

  private String bestInWords() {
    return trainer
        .history()
        .best()
        .map(best ->
            "; best "
                + plan.validation().name()
                + " "
                + Words.number(best.value())
                + " at epoch "
                + Words.number(best.epoch()))
        .orElse("");
  }

  private void fail(String code, String message) {
    if (hasWorkers) {
      board.command(new BranchCommand.Stop());
    } else {
      board.emit(new SessionEffect.KillWorkers(generation));
    }
    board.show(JobState.FAILED, code, message, "");
    stage = Stage.ENDED;
  }

  // Workers go.

  private void workersLost(SessionEvent.WorkersLost lost) {
    if (lost.generation() != generation) {
      return;
    }
    hasWorkers = false;
    board.loseAllBranches();
    if (stage == Stage.STOPPING) {
      end("; workers were lost before the last checkpoint was written: " + checkpoints.inWords());
      return;
    }
    trainer.lose();
    rounds.lose();
    stage = Stage.STARTING;
    lossesWithoutProgress++;
    if (lossesWithoutProgress > MAX_LOSSES_WITHOUT_PROGRESS) {
      fail(
          "WORKERS_LOST",
          "Workers were lost "
              + lossesWithoutProgress
              + " times without any progress in between, the last time because "
              + lost.reason()
              + "; "
              + checkpoints.inWords());
      return;
    }
    startAgain(lost.reason());
  }

  private void startAgain(String reason) {
    generation++;
    recoveries++;
    String outcome =
        "Workers were lost ("
            + reason
            + "); start new ones from "
            + checkpoints
                .lastDurable()
                .map(mark -> "checkpoint " + mark.checkpoint())
                .orElse("the beginning");
    board.decide(
        "recovery-" + recoveries,
        "job.recovery",
        outcome,
        Evidence.of()
            .with("reason", reason)
            .with("generation", generation)
            .with("lossesWithoutProgress", lossesWithoutProgress)
            .with("checkpoint", checkpoints.inWords()));
    board.show(JobState.STARTING, "workers-lost", outcome, "workers");
    board.emit(new SessionEffect.LaunchWorkers(generation));
  }

  // People ask.

  private void requested(SessionEvent.Requested event) {
    requests++;
    Optional<String> refusal =
        switch (event.request()) {
          case SessionEvent.UserRequest.Pause _ -> pause(event.actor());
          case SessionEvent.UserRequest.Resume _ -> resume();
          case SessionEvent.UserRequest.Cancel _ -> cancel(event.actor());
          case SessionEvent.UserRequest.Kill _ -> kill(event.actor());
          case SessionEvent.UserRequest.Retune _ -> retune(event.actor());
          case SessionEvent.UserRequest.Try asked -> tryBeside(asked, event.actor());
        };
    String asked = Requests.inWords(event.request());
    board.decide(
        "request-" + requests,
        refusal.isPresent() ? "request.ignored" : "request.accepted",
        refusal
            .map(why -> "The request to " + asked + " is ignored: " + why)
            .orElse("The request to " + asked + " is accepted"),
        event.actor(),
        0,
        Evidence.of().with("request", asked).with("stage", stage.name()));
  }

  private Optional<String> pause(String actor) {
    if (board.isPaused() || stage == Stage.STOPPING) {
      return Optional.of(board.isPaused() ? "the job is paused already" : "the job is stopping");
    }
    board.pause("Paused by " + actor);
    return Optional.empty();
  }

  private Optional<String> resume() {
    if (!board.isPaused()) {
      return Optional.of("the job is not paused");
    }
    board.resume();
    return Optional.empty();
  }

  /// Commands keep their order, so what is scheduled still runs before the last checkpoint.
  private Optional<String> cancel(String actor) {
    if (stage == Stage.STOPPING) {
      return Optional.of("the job is stopping already");
    }
    var canceled = new Ending(JobState.CANCELED, "canceled", "Canceled by " + actor);
    if (stage == Stage.STARTING) {
      ending = Optional.of(canceled);
      board.emit(new SessionEffect.KillWorkers(generation));
      end(wasReady ? "; " + checkpoints.inWords() : "");
      return Optional.empty();
    }
    rounds.abandon("canceled by " + actor);
    stop(canceled);
    return Optional.empty();
  }

  private Optional<String> kill(String actor) {
    ending = Optional.of(new Ending(JobState.CANCELED, "killed", "Killed by " + actor));
    board.emit(new SessionEffect.KillWorkers(generation));
    end("; " + checkpoints.inWords());
    return Optional.empty();
  }

  private Optional<String> retune(String actor) {
    Optional<String> refusal = reasonAgainstRound();
    if (refusal.isEmpty()) {
      rounds.wantManual(actor);
    }
    return refusal;
  }

  private Optional<String> tryBeside(SessionEvent.UserRequest.Try asked, String actor) {
    Optional<String> refusal = reasonAgainstRound();
    if (refusal.isEmpty()) {
      refusal = Requests.problemOf(asked.setting(), mainline().setting(), plan, board.workload());
    }
    if (refusal.isEmpty()) {
      rounds.wantTry(mainline().setting(), asked.setting(), actor);
    }
    return refusal;
  }

  private Optional<String> reasonAgainstRound() {
    if (!strategy.isTuning()) {
      return Optional.of("the policy " + plan.policy() + " does not tune this job");
    }
    if (stage != Stage.TRAINING) {
      return Optional.of("the job is not training but " + stage);
    }
    return rounds.isWanted() ? Optional.of("a round is due already") : Optional.empty();
  }
}
