package dev.espalier.tuner.app;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.PrintableText;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.app.port.JobStore.StoredJob;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.SessionEvent.UserRequest;
import dev.espalier.tuner.core.session.TuningSession;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/// One job's single writer: a mailbox and a thread around its tuning session.
final class SessionRunner {
  /*
   * While a job waits for its turn its thread is a virtual one, for any number may wait. A job that
   * runs has a thread of the system, if there is one to be had: it waits for the database some ten
   * times for each decision, workers wait for that, and a virtual thread is woken by way of two
   * others.
   *
   * What arrives is put together into whole events, the session takes them, and what follows is made
   * durable in one transaction before any of it is done: log, then act. A crash between the two is
   * repaired by the log: replaying it yields the same commands with the same numbers, workers skip
   * the ones they have applied, and send again the reports that were not acknowledged.
   *
   * While the database is away nothing is decided; workers are told that they are alone, so the
   * mainline goes on with its setting, and their reports wait at the workers: when too many clocks
   * wait here, the gateway asks for no more until there is room.
   */

  private static final Logger log = LoggerFactory.getLogger(SessionRunner.class);
  private static final Duration TICK = Duration.ofMillis(200);

  /// Messages that are taken in a turn.
  private static final int BATCH = 1_000;

  private final StoredJob job;
  private final RunnerPorts ports;
  private final TuningSession session;
  private final JobClock clock;
  private final JobSlots.Slot slot;
  private final Mailbox mailbox;
  private final JobRecord record;
  private final JobWorkers workers;
  private final JobTally tally;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  // Requests that the session has weighed, and that are not stored yet.
  private final List<Turn> unstored = new ArrayList<>();

  /// What a log that was replayed showed last.
  private Optional<SessionEffect> shown = Optional.empty();

  private volatile boolean shutdown;
  private volatile boolean isDone;
  private volatile boolean isSuperseded;
  // Nobody reads the mailbox any more.
  private volatile boolean isGone;

  SessionRunner(
      StoredJob job, ProgramDescriptor program, String data, RunnerPorts ports, JobSlots slots) {
    this.job = job;
    this.slot = slots.slot();
    this.ports = ports;
    JobPlan plan = JobPlans.of(job.spec(), program);
    this.session = Policies.open(plan);
    this.clock = new JobClock(job.spec().time().isPresent(), System::nanoTime);
    this.mailbox = new Mailbox(() -> ports.gateway().listen(job.id()));
    this.record = new JobRecord(job.id(), ports);
    this.workers =
        new JobWorkers(job, program, data, plan.heldOut(), ports, clock, mailbox, record);
    this.tally = new JobTally(job.id(), ports.meters());
  }

  /// Queues for the job's turn, on a thread of its own.
  void start() {
    slot.ask();
    Thread.ofVirtual().name("queue-" + job.id()).start(() -> run(this::awaitTurn));
  }

  /// Completes when the job has ended or the runner was shut down.
  CompletableFuture<Void> ended() {
    return ended;
  }

  /// {@return whether another server has taken the job over, so that this runner left it alone}
  boolean isSuperseded() {
    return isSuperseded;
  }

  /// Takes a request, which the session will weigh; waits for its turn.
  ///
  /// @throws EspalierException `WRONG_STATE` when the job has ended, `NOT_READY` when the runner is
  ///   going down or the turn does not come, `TOO_MANY_REQUESTS`, or why it is not meant for the
  ///   job as it stands then
  void request(UserRequest request, String actor, Turn turn) {
    if (shutdown || isDone) {
      throw goneDown();
    }
    record
        .unwritable()
        .ifPresent(why -> {
          throw new EspalierException(why.code(), why.getMessage() + "; nothing was changed", why);
        });
    if (!mailbox.offer(new Mailbox.Asked(request, actor, turn))) {
      throw new EspalierException(
          ErrorCode.TOO_MANY_REQUESTS,
          "job "
              + job.id()
              + " has "
              + Mailbox.MAX_MESSAGES
              + " messages waiting; try again later");
    }
    if (isGone) {
      turn.refuse(goneDown());
    }
    turn.await();
  }

  /// Stops the runner, not the job: its workers go on and find it again when it is resumed.
  void shutdown() {
    shutdown = true;
    record.goDown();
    mailbox.wake();
  }

  // Threads.

  /// What a thread of the runner does.
  private interface Stretch {
    /// {@return what another thread goes on with; empty at the end}
    Optional<Stretch> run() throws InterruptedException;
  }

  private void run(Stretch stretch) {
    MDC.put("job", job.id());
    Optional<Stretch> next = Optional.empty();
    try {
      next = stretch.run();
      next.ifPresent(this::goOn);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (EventLog.OtherWriterException superseded) {
      leave(superseded);
    } catch (Throwable failure) {
      fail(failure);
    } finally {
      if (next.isEmpty()) {
        end();
      }
      MDC.remove("job");
    }
  }

  private void goOn(Stretch rest) {
    try {
      Thread.ofPlatform().daemon().name("session-" + job.id()).start(() -> run(rest));
    } catch (OutOfMemoryError refused) {
      log.warn("job={} has no thread of the system: {}", job.id(), refused.getMessage());
      run(rest);
    }
  }

  private void end() {
    slot.close();
    isGone = true;
    unstored.forEach(turn -> turn.refuse(goneDown()));
    mailbox.takeRequests().forEach(one -> one.turn().refuse(goneDown()));
    ended.complete(null);
  }

  private EspalierException goneDown() {
    if (shutdown) {
      return new EspalierException(
          ErrorCode.NOT_READY, "the server is going down; ask the next one again");
    }
    return isSuperseded
        ? new EspalierException(
            ErrorCode.NOT_READY, "another server runs job " + job.id() + "; ask that one")
        : new EspalierException(
            ErrorCode.WRONG_STATE, "job " + job.id() + " has ended; nothing was changed");
  }

  /// Whoever wrote has the job now, and its workers: they are to find that server.
  private void leave(EventLog.OtherWriterException superseded) {
    log.error(
        "job={} events={} another server has taken it over, this one leaves it alone: {}",
        job.id(),
        record.events(),
        superseded.getMessage());
    isSuperseded = true;
    workers.abandon();
    record.goesOn();
    ports.meters().ended(job.id());
  }

  /// What nobody foresaw ends the job: without its runner it could neither go on nor be ended.
  private void fail(Throwable failure) {
    log.error("job={} runner failed: {}", job.id(), failure.getMessage(), failure);
    try {
      ports
          .publisher()
          .publish(
              ports
                  .jobs()
                  .fail(
                      job.id(),
                      ErrorCode.INTERNAL.name(),
                      "The job's runner failed: " + PrintableText.of(String.valueOf(failure))));
    } catch (RuntimeException alsoFailed) {
      log.error("job={} cannot be marked as failed: {}", job.id(), alsoFailed.getMessage());
    }
    try {
      release();
    } catch (RuntimeException alsoFailed) {
      log.error("job={} workers cannot be ended: {}", job.id(), alsoFailed.getMessage());
    }
  }

  private void release() {
    workers.end("the job has ended");
    record.goesOn();
    ports.meters().ended(job.id());
    log.info("job={} events={} ended", job.id(), record.events());
  }

  // The beginning.

  private Optional<Stretch> awaitTurn() throws InterruptedException {
    if (!record.isEmpty() && !isQueued()) {
      // Its workers may be training.
      slot.insist();
      return Optional.of(() -> {
        resume();
        return takeTurns();
      });
    }
    List<SessionEffect> effects = new ArrayList<>(session.start());
    record.replay(event -> effects.addAll(replay(event)));
    awaitSlot(effects);
    if (!slot.isTaken() || session.isEnded()) {
      return takeTurns();
    }
    return Optional.of(() -> {
      begin(effects);
      return takeTurns();
    });
  }

  /// A job in this state has no workers yet, though its log may hold what was asked of it.
  private boolean isQueued() throws InterruptedException {
    return standing().filter(standing -> standing.state() == JobState.QUEUED).isPresent();
  }

  private Optional<JobStore.Standing> standing() throws InterruptedException {
    return record.patiently(() -> ports.jobs().standing(job.id()));
  }

  /// A new job waits for its turn. What is asked of it meanwhile is weighed and written down at
  /// once, and done when it begins; its end needs no turn.
  ///
  /// @param effects of what is in its log, to which those of requests are added
  private void awaitSlot(List<SessionEffect> effects) throws InterruptedException {
    while (!shutdown && !slot.isTaken() && !session.isEnded()) {
      // What is behind one that cannot be stored stays, to be refused.
      for (Mailbox.Message message : mailbox.await(TICK, 1)) {
        hearWaiting(message, effects);
      }
    }
    if (shutdown && !slot.isTaken()) {
      for (Mailbox.Asked one : mailbox.takeRequests()) {
        hearWaiting(one, effects);
      }
    }
  }

  private void hearWaiting(Mailbox.Message message, List<SessionEffect> effects)
      throws InterruptedException {
    if (message instanceof Mailbox.Asked request && isMeant(request)) {
      unstored.add(request.turn());
      var event = new SessionEvent.Requested(clock.now(), request.request(), request.actor());
      List<SessionEffect> followed = weighed(session.step(event));
      effects.addAll(followed);
      if (!session.isEnded()) {
        List<SessionEffect> told = new ArrayList<>();
        followed.stream().filter(SessionEffect.Decide.class::isInstance).forEach(told::add);
        if (followed.stream().anyMatch(SessionEffect.JobChanged.class::isInstance)) {
          told.add(asQueued(followed));
        }
        commit(List.of(event), told);
      } else {
        // It never launched workers.
        effects.removeIf(SessionEffect.LaunchWorkers.class::isInstance);
        commit(List.of(event), effects);
      }
    }
  }

  /// {@return what is shown of a job that has no place yet: what its session shows comes true when
  /// it has one}
  ///
  /// @param effects the last change of the job among them says whether it is paused
  private static SessionEffect.JobChanged asQueued(List<SessionEffect> effects) {
    Optional<SessionEffect.JobChanged> paused =
        effects.stream()
            .filter(SessionEffect.JobChanged.class::isInstance)
            .map(SessionEffect.JobChanged.class::cast)
            .reduce((_, last) -> last)
            .filter(last -> last.state() == JobState.PAUSED);
    return paused
        .map(pause ->
            new SessionEffect.JobChanged(
                JobState.QUEUED,
                pause.reason(),
                pause.message() + " before its turn",
                pause.waitingFor()))
        .orElse(JobStore.WAITING);
  }

  /// Starts a new job, with what was asked of it before.
  ///
  /// @param effects of its beginning and of all that is in its log
  private void begin(List<SessionEffect> effects) throws InterruptedException {
    workers.runClock();
    commit(List.of(), effects);
  }

  private void resume() throws InterruptedException {
    recall(session.start());
    record.replay(event -> recall(replay(event)));
    workers.runClock();
    log.info(
        "job={} events={} generation={} resumed from its log",
        job.id(),
        record.events(),
        workers.generation());
    if (!session.isEnded()) {
      workers.resume();
      tally.gauge();
      showAgain();
    }
  }

  private List<SessionEffect> replay(SessionEvent event) {
    clock.restore(event.atSeconds());
    note(event);
    return session.step(event);
  }

  /// Brings numbers and lists up to date with effects that were done before a restart.
  private void recall(List<SessionEffect> effects) {
    for (SessionEffect effect : effects) {
      switch (effect) {
        case SessionEffect.Command(BranchCommand command) -> workers.recall(command);
        case SessionEffect.LaunchWorkers(int next) -> workers.recallLaunch(next);
        case SessionEffect.Hold(boolean now) -> workers.recallHold(now);
        case SessionEffect.BranchChanged changed -> tally.add(changed);
        case SessionEffect.TimeSpent spent -> tally.add(spent);
        case SessionEffect.JobChanged changed -> shown = Optional.of(changed);
        default -> {}
      }
    }
  }

  /// A server that could not resume the job has said so in the place of what the session showed.
  private void showAgain() throws InterruptedException {
    if (standing().filter(standing -> standing.reason().equals(JobStore.NOT_RESUMED)).isPresent()) {
      commit(List.of(), shown.stream().toList());
    }
  }

  // Turns.

  private Optional<Stretch> takeTurns() throws InterruptedException {
    while (!shutdown && !isOver()) {
      turn();
    }
    if (!shutdown) {
      release();
    } else if (slot.isTaken()) {
      takeLastRequests();
    }
    return Optional.empty();
  }

  private boolean isOver() {
    return session.isEnded() && workers.haveLeft();
  }

  /// One duty cycle: take what has come, make events of it, let the session decide, act.
  private void turn() throws InterruptedException {
    var events = new ArrayList<SessionEvent>();
    long oldestNanos = 0;
    for (Mailbox.Message message : mailbox.await(TICK, BATCH)) {
      if (message instanceof Mailbox.Reported reported && oldestNanos == 0) {
        oldestNanos = reported.nanos();
      }
      take(message, events);
    }
    events.addAll(workers.drain());
    if (!session.isEnded()) {
      workers.lost().ifPresent(events::add);
    }
    if (!events.isEmpty() && !session.isEnded()) {
      step(events);
    }
    // What was decided just now may have ended the job.
    if (!session.isEnded() && !shutdown) {
      workers.launchInTime();
    }
    workers.acknowledge();
    if (oldestNanos != 0) {
      ports.meters().reportLatency((System.nanoTime() - oldestNanos) / 1e9);
    }
  }

  private void take(Mailbox.Message message, List<SessionEvent> events)
      throws InterruptedException {
    switch (message) {
      case Mailbox.OfWorkers said -> workers.take(said, events);
      case Mailbox.Asked request -> take(request, events);
      case Mailbox.Wake() -> {}
    }
  }

  /// What stands before a request is decided first: it may end the job, or change what the request
  /// is meant for.
  private void take(Mailbox.Asked request, List<SessionEvent> events) throws InterruptedException {
    if (!events.isEmpty() && !session.isEnded()) {
      step(events);
      events.clear();
    }
    if (isMeant(request)) {
      unstored.add(request.turn());
      events.add(new SessionEvent.Requested(clock.now(), request.request(), request.actor()));
    }
  }

  /// What was asked before the server goes down is still decided, unless the database is away then.
  private void takeLastRequests() throws InterruptedException {
    var events = new ArrayList<SessionEvent>();
    for (Mailbox.Asked one : mailbox.takeRequests()) {
      take(one, events);
    }
    if (!events.isEmpty() && !session.isEnded()) {
      step(events);
    }
  }

  private boolean isMeant(Mailbox.Asked request) {
    Turn turn = request.turn();
    if (session.isEnded()) {
      turn.refuse(goneDown());
      return false;
    }
    try {
      // Read even where nobody asks for it: without the database nothing is taken.
      return turn.take(ports.jobs().standing(job.id()).orElseThrow().version());
    } catch (EspalierException away) {
      turn.refuse(away);
      return false;
    }
  }

  private void step(List<SessionEvent> events) throws InterruptedException {
    var taken = new ArrayList<SessionEvent>();
    var effects = new ArrayList<SessionEffect>();
    for (SessionEvent event : events) {
      if (session.isEnded()) {
        break;
      }
      taken.add(event);
      List<SessionEffect> followed = weighed(session.step(event));
      effects.addAll(followed);
      if (followed.stream().anyMatch(SessionEffect.LaunchWorkers.class::isInstance)) {
        // What else came belongs to the generation that is gone.
        break;
      }
    }
    commit(taken, effects);
  }

  /// Of requests one at a time is weighed before it is stored.
  private List<SessionEffect> weighed(List<SessionEffect> followed) {
    for (SessionEffect effect : followed) {
      if (effect instanceof SessionEffect.Ignored(String why)) {
        unstored.getLast().ignore(why);
      }
    }
    return followed;
  }

  // Log, then act.

  private void commit(List<SessionEvent> events, List<SessionEffect> effects)
      throws InterruptedException {
    var points = new ArrayList<EventLog.MetricPoint>();
    for (SessionEvent event : events) {
      if (event instanceof SessionEvent.Progressed progressed) {
        points.addAll(tally.points(progressed));
        ports.meters().clocks(job.id(), progressed.losses().size());
      }
      note(event);
      if (event instanceof SessionEvent.WorkersReady) {
        workers.runClock();
      }
    }
    List<StreamEvent> news = record.append(events, effects, points, workers::leaveAlone);
    isDone = session.isEnded();
    unstored.forEach(Turn::stored);
    unstored.clear();
    ports.publisher().publish(news);
    act(effects);
  }

  /// Keeps what the log says of workers and of branch seconds.
  private void note(SessionEvent event) {
    workers.logged(event);
    if (event instanceof SessionEvent.Progressed progressed) {
      tally.add(progressed);
    }
  }

  private void act(List<SessionEffect> effects) throws InterruptedException {
    for (SessionEffect effect : effects) {
      switch (effect) {
        case SessionEffect.Command(BranchCommand command) -> workers.send(command);
        case SessionEffect.LaunchWorkers(int next) -> workers.launch(next);
        case SessionEffect.KillWorkers _ -> workers.end("the job was killed");
        case SessionEffect.Hold(boolean now) -> workers.hold(now);
        case SessionEffect.BranchChanged changed -> {
          tally.add(changed);
          tally.gauge();
        }
        case SessionEffect.RoundChanged round -> {
          if (round.phase().equals("probing") || round.phase().equals("racing")) {
            ports.meters().roundStarted(job.id());
          }
        }
        case SessionEffect.TimeSpent spent -> {
          tally.add(spent);
          tally.gauge();
        }
        case SessionEffect.Decide(var decision) ->
            log.info(
                "job={} decision={} rule={} outcome={}",
                job.id(),
                decision.key(),
                decision.rule(),
                decision.outcome());
        case SessionEffect.JobChanged changed ->
            log.debug("job={} state={} message={}", job.id(), changed.state(), changed.message());
        case SessionEffect.ScheduleChanged _,
            SessionEffect.MainlineEvaluated _,
            SessionEffect.RunEvaluated _,
            SessionEffect.ResultChanged _,
            SessionEffect.SnapshotChanged _,
            SessionEffect.Ignored _ -> {}
      }
    }
  }
}
