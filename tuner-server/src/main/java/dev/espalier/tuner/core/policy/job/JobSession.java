package dev.espalier.tuner.core.policy.job;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.JobState;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.policy.board.Workload;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.TuningSession;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/*
 * The life of a job, the same for every policy:
 *
 *   STARTING --ready--> RUNNING --> STOPPING --> ended
 *       ^                  |
 *       +---- workers lost +
 *
 * What happens while it is RUNNING is its course. After each clock, and after each other event,
 * `advance` looks at where things stand and does what is next. A run of clocks is taken apart into
 * single clocks first, so it does not matter in what pieces workers report.
 */

/// A job as a state machine over events.
public final class JobSession implements TuningSession {
  private static final String CHECKPOINT_FAILED = "checkpoint-failed";

  /// What workers say that cannot open the program, or its data.
  private static final Set<String> OPENING =
      Set.of(ErrorCode.INVALID_DATA.name(), ErrorCode.PROGRAM_FAILED.name());

  private enum Stage {
    STARTING,
    RUNNING,
    STOPPING,
    ENDED
  }

  /// Makes the course of a job.
  public interface Courses {
    Course open(Board board, Checkpoints checkpoints, Course.Host host);
  }

  private final JobPlan plan;
  private final Board board;
  private final Checkpoints checkpoints;
  private final Generations generations;
  private final Course course;
  private final Finish finish;
  private Stage stage = Stage.STARTING;
  private int requests;

  public JobSession(JobPlan plan, Courses courses) {
    this.plan = plan;
    this.board = new Board(plan);
    this.checkpoints = new Checkpoints(board);
    this.generations = new Generations(board, checkpoints);
    this.course = courses.open(board, checkpoints, new Host());
    this.finish = new Finish(board, course, checkpoints);
  }

  /// What the course may ask for.
  private final class Host implements Course.Host {
    @Override
    public void stop(Ending ending) {
      JobSession.this.stop(ending);
    }

    @Override
    public void fail(String code, String message) {
      JobSession.this.fail(code, message);
    }

    @Override
    public void restart(String reason) {
      generations.kill();
      loseFor(reason);
    }

    @Override
    public void goBack(String what) {
      generations.kill();
      generations.noteProgress();
      lose(what, what);
    }

    @Override
    public void noteProgress() {
      generations.noteProgress();
    }
  }

  @Override
  public List<SessionEffect> start() {
    board.show(
        JobState.STARTING, "starting", "Needs " + Words.count(plan.workers(), "worker"), "workers");
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
      case SessionEvent.Evaluated evaluated -> {
        if (stage == Stage.RUNNING) {
          course.evaluated(evaluated);
        }
      }
      case SessionEvent.CheckpointWritten written -> {
        if (checkpoints.written(written.checkpoint(), written.sizeBytes())) {
          generations.noteProgress();
          takeBackFailure();
        }
      }
      case SessionEvent.CheckpointFailed failed -> checkpointFailed(failed);
      case SessionEvent.WorkersLost lost -> workersLost(lost);
      case SessionEvent.ProgramFailed failed -> programFailed(failed);
      case SessionEvent.Requested requested -> requested(requested);
    }
  }

  // Workers come.

  private void workersReady(SessionEvent.WorkersReady ready) {
    if (ready.generation() != generations.current() || generations.isAttached()) {
      return;
    }
    var workload =
        new Workload(
            ready.workers(),
            ready.trainingSamples(),
            ready.defaultBatchSize(),
            ready.probeSamples());
    Optional<String> change =
        checkpoints.lastDurable().isPresent() ? board.changeOfData(workload) : Optional.empty();
    if (change.isPresent()) {
      generations.kill();
      lose("Workers cannot go on: " + change.get(), change.get());
      return;
    }
    boolean isFirst = generations.attach();
    board.workersAre(workload);
    Optional<String> problem = workload.problemOf(course.extremeSettings());
    if (problem.isPresent()) {
      fail("INVALID_JOB", problem.get());
      return;
    }
    if (board.isPaused()) {
      board.emit(new SessionEffect.Hold(true));
    }
    stage = Stage.RUNNING;
    if (isFirst) {
      course.begin();
    } else {
      checkpoints.dropPending();
      course.resume();
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
    if (stage == Stage.RUNNING) {
      course.clockReported(branch, loss);
    }
    advance();
  }

  private void checkpointFailed(SessionEvent.CheckpointFailed event) {
    Optional<String> outcome = checkpoints.failed(event.checkpoint(), event.message());
    if (outcome.isPresent() && stage == Stage.RUNNING) {
      course.showCheckpoints(CHECKPOINT_FAILED, outcome.get());
    }
  }

  /// What was said of a checkpoint that failed does not hold any more.
  private void takeBackFailure() {
    if (board.isShown(CHECKPOINT_FAILED) && stage == Stage.RUNNING) {
      course.showCheckpoints("checkpoint-written", "Going on; checkpoints can be written again");
    }
  }

  private void advance() {
    switch (stage) {
      case STARTING, ENDED -> {}
      case RUNNING -> course.advance();
      case STOPPING -> endIfSaved();
    }
  }

  // The end.

  private void stop(Ending how) {
    stage = Stage.STOPPING;
    finish.begin(how);
    endIfSaved();
  }

  private void endIfSaved() {
    if (finish.endIfSaved()) {
      stage = Stage.ENDED;
    }
  }

  private void fail(String code, String message) {
    if (generations.isAttached()) {
      board.command(new BranchCommand.Stop());
    } else {
      generations.kill();
    }
    finish.fail(code, message);
    stage = Stage.ENDED;
  }

  /// A checkpoint that is damaged or missing sends workers to the one before; one that they cannot
  /// open, for they have too many files open, say, is tried again. Where workers cannot open what
  /// others could, a disk or a network may lack what it has again soon. Anything else ends the job.
  private void programFailed(SessionEvent.ProgramFailed event) {
    Optional<String> outcome = Optional.empty();
    if (event.code().equals(ErrorCode.CHECKPOINT_FAILED.name())) {
      outcome = checkpoints.damaged(event.message());
    } else if (event.code().equals(ErrorCode.CHECKPOINT_MISSING.name())) {
      outcome = checkpoints.missing(event.message());
    } else if (event.code().equals(ErrorCode.CHECKPOINT_UNREADABLE.name())) {
      outcome = Optional.of("Workers cannot open a checkpoint (" + event.message() + ")");
    } else if (OPENING.contains(event.code()) && generations.mayOpenLater()) {
      outcome = Optional.of("Workers cannot open the program (" + event.message() + ")");
    }
    if (outcome.isPresent()) {
      generations.kill();
      lose(outcome.get(), event.message());
    } else {
      fail(event.code(), event.message());
    }
  }

  // Workers go.

  private void workersLost(SessionEvent.WorkersLost lost) {
    if (lost.generation() == generations.current()) {
      loseFor(lost.reason());
    }
  }

  private void loseFor(String reason) {
    lose("Workers were lost (" + reason + ")", reason);
  }

  private void lose(String what, String reason) {
    board.loseAllBranches();
    generations.lose();
    if (stage == Stage.STOPPING) {
      finish.endUnsaved();
      stage = Stage.ENDED;
      return;
    }
    course.lose();
    stage = Stage.STARTING;
    if (generations.isHopeless()) {
      fail("WORKERS_LOST", generations.hopelessInWords(reason));
    } else {
      generations.startAgain(what, reason);
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
          case SessionEvent.UserRequest.Retune _ ->
              notRunning().or(() -> course.retune(event.actor()));
          case SessionEvent.UserRequest.Try asked ->
              notRunning().or(() -> course.tryBeside(asked.setting(), event.actor()));
          case SessionEvent.UserRequest.Keep asked ->
              notRunning().or(() -> course.keep(asked.branch(), event.actor()));
          case SessionEvent.UserRequest.Discard asked ->
              notRunning().or(() -> course.discard(asked.branch(), event.actor()));
          case SessionEvent.UserRequest.Restore asked ->
              notRunning()
                  .or(() -> missing(asked.snapshot()))
                  .or(() ->
                      course.restore(
                          checkpoints.durable(asked.snapshot()).orElseThrow(), event.actor()));
          case SessionEvent.UserRequest.Pin asked -> pin(asked);
        };
    refusal.ifPresent(why -> board.emit(new SessionEffect.Ignored(why)));
    String asked = Requests.inWords(event.request());
    board.decide(
        "request-" + requests,
        refusal.isPresent() ? "request.ignored" : "request.accepted",
        refusal
            .map(why -> "The request to " + asked + " is ignored: " + why)
            .orElse("The request to " + asked + " is accepted"),
        event.actor(),
        0,
        Evidence.of().with("request", asked).with("stage", stageName()));
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
    course.abandon("canceled by " + actor);
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

  private Optional<String> pin(SessionEvent.UserRequest.Pin asked) {
    // Said before: one that is no longer pinned may be dropped at once.
    Optional<String> missing = missing(asked.snapshot());
    checkpoints.durable(asked.snapshot()).ifPresent(mark -> checkpoints.pin(mark, asked.pinned()));
    return missing;
  }

  private Optional<String> missing(long snapshot) {
    return checkpoints.durable(snapshot).isPresent()
        ? Optional.empty()
        : Optional.of("snapshot " + snapshot + " is not there; " + checkpoints.durableInWords());
  }

  private Optional<String> notRunning() {
    return stage == Stage.RUNNING
        ? Optional.empty()
        : Optional.of("the job is not training but " + stage);
  }

  private String stageName() {
    return stage == Stage.RUNNING ? course.stage() : stage.name();
  }
}
