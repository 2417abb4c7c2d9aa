package dev.espalier.tuner.core.policy;

import dev.espalier.api.model.BranchCommand;
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
  private final Generations generations;
  private final Finish finish;
  private Stage stage = Stage.STARTING;
  private int requests;
  private int overflows;

  JobSession(JobPlan plan, Strategy strategy) {
    this.plan = plan;
    this.strategy = strategy;
    this.board = new Board(plan);
    this.checkpoints = new Checkpoints(board);
    this.trainer = new Trainer(board, strategy, checkpoints);
    this.rounds = new Rounds(board);
    this.generations = new Generations(board, checkpoints);
    this.finish = new Finish(board, trainer, checkpoints);
  }

  @Override
  public List<SessionEffect> start() {
    board.show(
        JobState.STARTING,
        "starting",
        "Starting " + Words.count(plan.workers(), "worker"),
        "workers");
    generations.launch();
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
    if (ready.generation() != generations.current() || generations.isAttached()) {
      return;
    }
    boolean isFirst = generations.attach();
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
    if (isFirst) {
      firstBranch();
    } else {
      recover();
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
        Evidence.of().with("setting", mainline().setting()).with("steps", plan.schedule().size()));
    train();
  }

  private void recover() {
    Optional<Checkpoints.Mark> mark = checkpoints.lastDurable();
    if (mark.isPresent()) {
      var setting = strategy.settingAt(mark.get().mainlineClock(), rounds.settingOr(strategy));
      trainer.begin(board.restore(mark.get(), setting), mark.get());
    } else {
      var setting = strategy.settingAt(0, rounds.settingOr(strategy));
      trainer.begin(board.createFirst(setting));
    }
    checkpoints.dropPending();
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

  /// A policy that tunes goes back to the last checkpoint and tunes; otherwise the job has failed.
  private void mainlineOverflowed(Branch branch, double loss) {
    String what = Endings.overflow(branch, loss);
    Optional<Checkpoints.Mark> mark = checkpoints.lastDurable();
    boolean mayRetune = strategy.isTuning() && rounds.retunes() < plan.options().maxRetunes();
    if (mark.isEmpty() || !mayRetune || stage != Stage.TRAINING) {
      fail("diverged", what + "; " + checkpoints.inWords());
      return;
    }
    overflows++;
    board.decide(
        "overflow-" + overflows,
        "job.overflow",
        what + ": go back to checkpoint " + mark.get().checkpoint() + " and tune again",
        Evidence.of()
            .with("mainlineClock", branch.mainlineClock())
            .with("setting", branch.setting())
            .with("checkpoint", mark.get().checkpoint()));
    generations.kill();
    lose("the training loss overflowed");
    rounds.wantRetuneAt(mark.get().mainlineClock());
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
    Optional<Ending> reached = Endings.targetReached(plan, event.metrics());
    if (reached.isPresent()) {
      stop(reached.get());
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
    rounds.wantRetuneAt(mainline().mainlineClock());
  }

  private void checkpointWritten(SessionEvent.CheckpointWritten event) {
    if (checkpoints.written(event.checkpoint())) {
      generations.noteProgress();
    }
  }

  private void checkpointFailed(SessionEvent.CheckpointFailed event) {
    Optional<String> outcome = checkpoints.failed(event.checkpoint(), event.message());
    if (outcome.isPresent() && stage == Stage.TRAINING) {
      board.show(JobState.TRAINING, "checkpoint-failed", outcome.get(), "");
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
    generations.noteProgress();
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
      case INITIAL -> fail("nothing-learns", Endings.nothingEverLearned(round.trials(), why));
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
    stage = Stage.STOPPING;
    finish.begin(how, mainline());
    endIfSaved();
  }

  private void endIfSaved() {
    if (finish.endIfSaved(mainline())) {
      stage = Stage.ENDED;
    }
  }

  private void fail(String code, String message) {
    if (generations.isAttached()) {
      board.command(new BranchCommand.Stop());
    } else {
      generations.kill();
    }
    board.show(JobState.FAILED, code, message, "");
    stage = Stage.ENDED;
  }

  // Workers go.

  private void workersLost(SessionEvent.WorkersLost lost) {
    if (lost.generation() == generations.current()) {
      lose(lost.reason());
    }
  }

  private void lose(String reason) {
    board.loseAllBranches();
    generations.lose();
    if (stage == Stage.STOPPING) {
      finish.endUnsaved();
      stage = Stage.ENDED;
      return;
    }
    trainer.lose();
    rounds.lose();
    stage = Stage.STARTING;
    if (generations.isHopeless()) {
      fail("WORKERS_LOST", generations.hopelessInWords(reason));
    } else {
      generations.startAgain(reason);
    }
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
      endNow(canceled);
      return Optional.empty();
    }
    rounds.abandon("canceled by " + actor);
    stop(canceled);
    return Optional.empty();
  }

  private Optional<String> kill(String actor) {
    endNow(new Ending(JobState.CANCELED, "killed", "Killed by " + actor));
    return Optional.empty();
  }

  private void endNow(Ending how) {
    generations.kill();
    finish.endNow(how);
    stage = Stage.ENDED;
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
