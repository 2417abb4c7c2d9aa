package dev.espalier.tuner.app;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.SequencedCommand;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.PrintableText;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.app.port.JobStore.StoredJob;
import dev.espalier.tuner.app.port.WorkerGateway;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.SessionEvent.UserRequest;
import dev.espalier.tuner.core.session.TuningSession;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
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
  private static final Duration RETRY = Duration.ofMillis(500);
  private static final Duration ALONE_AFTER = Duration.ofSeconds(1);
  private static final Duration STOP_GRACE = Duration.ofSeconds(15);
  private static final Duration LAUNCH_AGAIN = Duration.ofSeconds(2);
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  // To 32 s.
  private static final int MAX_PAUSE_DOUBLINGS = 5;
  private static final int MAX_MESSAGES = 100_000;

  /// Of all reports that wait; one clock is some hundred bytes.
  private static final long MAX_CLOCKS = 50_000;

  private final StoredJob job;
  private final RunnerPorts ports;
  private final ProgramDescriptor program;
  private final String data;
  private final JobPlan plan;
  private final TuningSession session;
  private final JobClock clock;
  private final JobSlots.Slot slot;
  private final LinkedBlockingQueue<Message> mailbox = new LinkedBlockingQueue<>();
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private final AtomicLong clocksWaiting = new AtomicLong();
  // Requests that the session has weighed, and that are not stored yet.
  private final List<Turn> unstored = new ArrayList<>();
  private final SecureRandom random = new SecureRandom();

  private final Map<BranchId, Double> branchSeconds = new HashMap<>();
  private final Set<BranchId> liveBranches = new HashSet<>();
  private double tuningShare;

  /// What a log that was replayed showed last.
  private Optional<SessionEffect> shown = Optional.empty();

  private WorkerLeases leases;
  private ReportAssembler assembler;
  private int generation;
  // Whether all workers of the generation have been there.
  private boolean begun;
  // Generations before it, one after the other, that never were.
  private int vain;
  private long commandSequence;
  private long eventSequence;
  private boolean held;
  private boolean alone;
  private boolean stopSent;
  private long stopNanos;
  // What is to be launched later.
  private @Nullable Start nextStart;
  private long nextStartNanos;
  private volatile boolean shutdown;
  private volatile boolean isDone;
  private volatile boolean isSuperseded;
  // Why the log cannot be written, once that has lasted.
  private volatile @Nullable EspalierException unwritable;
  // Nobody reads the mailbox any more.
  private volatile boolean isGone;

  SessionRunner(
      StoredJob job, ProgramDescriptor program, String data, RunnerPorts ports, JobSlots slots) {
    this.job = job;
    this.slot = slots.slot();
    this.program = program;
    this.data = data;
    this.ports = ports;
    this.plan = JobPlans.of(job.spec(), program);
    this.session = Policies.open(plan);
    this.clock = new JobClock(job.spec().time().isPresent(), System::nanoTime);
    this.assembler = newAssembler(0);
    this.leases = new WorkerLeases(job.spec().workers(), ports.leases(), System.nanoTime());
  }

  /// What the mailbox takes.
  private sealed interface Message {
    record Attached(int generation, int worker) implements Message {}

    record Detached(int generation, int worker, String reason) implements Message {}

    record Reported(int generation, int worker, long sequence, WorkerReport report, long nanos)
        implements Message {
      /// What it takes in memory, in clocks.
      long clocks() {
        return switch (report) {
          case WorkerReport.Progressed progressed -> progressed.seconds().size();
          case WorkerReport.Evaluated evaluated -> 1 + evaluated.losses().size();
          case WorkerReport.Ready _,
              WorkerReport.CheckpointWritten _,
              WorkerReport.CheckpointFailed _,
              WorkerReport.Forked _,
              WorkerReport.Failed _ ->
              1;
        };
      }
    }

    record Exited(int generation, int worker, OptionalInt status) implements Message {}

    record Stalled(int generation, int worker, String what, boolean timedOut) implements Message {}

    record Asked(UserRequest request, String actor, Turn turn) implements Message {}

    record NotLaunched(int generation, EspalierException failure) implements Message {}

    record Wake() implements Message {}
  }

  /// Queues for the job's turn, on a thread of its own.
  void start() {
    slot.ask();
    Thread.ofVirtual().name("queue-" + job.id()).start(() -> run(this::awaitTurn));
  }

  /// What a thread of the runner does.
  private interface Stretch {
    /// {@return what another thread goes on with; empty at the end}
    Optional<Stretch> run() throws InterruptedException;
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
    EspalierException why = unwritable;
    if (why != null) {
      throw new EspalierException(why.code(), why.getMessage() + "; nothing was changed", why);
    }
    offer(new Message.Asked(request, actor, turn));
    if (isGone) {
      turn.refuse(goneDown());
    }
    turn.await();
  }

  /// Stops the runner, not the job: its workers go on and find it again when it is resumed.
  void shutdown() {
    shutdown = true;
    offerAlways(new Message.Wake());
  }

  /// What workers say is always taken; the gateway asks them for no more than there is room for.
  private void offerAlways(Message message) {
    mailbox.add(message);
  }

  private void offer(Message message) {
    if (mailbox.size() >= MAX_MESSAGES) {
      throw new EspalierException(
          ErrorCode.TOO_MANY_REQUESTS,
          "job " + job.id() + " has " + MAX_MESSAGES + " messages waiting; try again later");
    }
    mailbox.add(message);
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
    takeRequests().forEach(one -> one.turn().refuse(goneDown()));
    ended.complete(null);
  }

  private Optional<Stretch> awaitTurn() throws InterruptedException {
    if (!readLog(0).isEmpty() && !isQueued()) {
      // Its workers may be training.
      slot.insist();
      return Optional.of(() -> {
        resume();
        return takeTurns();
      });
    }
    List<SessionEffect> effects = new ArrayList<>(session.start());
    replayLog(effects::addAll);
    awaitSlot(effects);
    if (!slot.isTaken() || session.isEnded()) {
      return takeTurns();
    }
    return Optional.of(() -> {
      begin(effects);
      return takeTurns();
    });
  }

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

  /// Takes the session to where the log ends, part by part: a log of weeks is larger than memory.
  private void replayLog(Consumer<List<SessionEffect>> then) throws InterruptedException {
    List<SessionEvent> part = readLog(eventSequence);
    while (!part.isEmpty()) {
      part.forEach(event -> then.accept(replay(event)));
      part = readLog(eventSequence);
    }
  }

  private List<SessionEvent> readLog(long after) throws InterruptedException {
    return patiently(() -> ports.log().read(job.id(), after));
  }

  /// A job in this state has no workers yet, though its log may hold what was asked of it.
  private boolean isQueued() throws InterruptedException {
    return patiently(() -> ports.jobs().standing(job.id()))
        .filter(standing -> standing.state() == JobState.QUEUED)
        .isPresent();
  }

  /// A new job waits for its turn. What is asked of it meanwhile is weighed and written down at
  /// once, and done when it begins; its end needs no turn.
  ///
  /// @param effects of what is in its log, to which those of requests are added
  private void awaitSlot(List<SessionEffect> effects) throws InterruptedException {
    while (!shutdown && !slot.isTaken() && !session.isEnded()) {
      Message message = mailbox.poll(TICK.toMillis(), TimeUnit.MILLISECONDS);
      if (message instanceof Message.Asked one) {
        hearWaiting(one, effects);
      }
    }
    if (shutdown && !slot.isTaken()) {
      for (Message.Asked one : takeRequests()) {
        hearWaiting(one, effects);
      }
    }
  }

  private void hearWaiting(Message.Asked request, List<SessionEffect> effects)
      throws InterruptedException {
    if (isMeant(request)) {
      unstored.add(request.turn());
      var event = new SessionEvent.Requested(clock.now(), request.request(), request.actor());
      List<SessionEffect> followed = weighed(session.step(event));
      effects.addAll(followed);
      if (!session.isEnded()) {
        commit(
            List.of(event),
            followed.stream().filter(SessionEffect.Decide.class::isInstance).toList());
      } else {
        // It never launched workers.
        effects.removeIf(SessionEffect.LaunchWorkers.class::isInstance);
        commit(List.of(event), effects);
      }
    }
  }

  /// What was asked before the server goes down is still decided, unless the database is away then.
  private void takeLastRequests() throws InterruptedException {
    var events = new ArrayList<SessionEvent>();
    for (Message.Asked one : takeRequests()) {
      takeInTurn(one, events);
    }
    if (!events.isEmpty() && !session.isEnded()) {
      step(events);
    }
  }

  /// {@return the requests that stand in the mailbox, which is empty then}
  private List<Message.Asked> takeRequests() {
    var rest = new ArrayList<Message>();
    mailbox.drainTo(rest);
    return rest.stream()
        .filter(Message.Asked.class::isInstance)
        .map(Message.Asked.class::cast)
        .toList();
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
        eventSequence,
        superseded.getMessage());
    isSuperseded = true;
    ports.gateway().abandon(job.id());
    goesOn();
    ports.meters().ended(job.id());
  }

  /// What nobody foresaw ends the job: without its runner it could neither go on nor be ended.
  private void fail(Throwable failure) {
    log.error("job={} runner failed: {}", job.id(), failure.getMessage(), failure);
    try {
      ports
          .jobs()
          .fail(
              job.id(),
              ErrorCode.INTERNAL.name(),
              "The job's runner failed: " + PrintableText.of(String.valueOf(failure)));
    } catch (RuntimeException alsoFailed) {
      log.error("job={} cannot be marked as failed: {}", job.id(), alsoFailed.getMessage());
    }
    try {
      release();
    } catch (RuntimeException alsoFailed) {
      log.error("job={} workers cannot be ended: {}", job.id(), alsoFailed.getMessage());
    }
  }

  private void resume() throws InterruptedException {
    var commands = new ArrayList<SequencedCommand>();
    bookkeep(session.start(), commands);
    replayLog(effects -> bookkeep(effects, commands));
    runClock();
    log.info(
        "job={} events={} generation={} resumed from its log", job.id(), eventSequence, generation);
    if (!session.isEnded()) {
      Optional<byte[]> secret = patiently(() -> ports.jobs().workerSecret(job.id(), generation));
      if (isLaunchCutOff(secret.isPresent())) {
        launchGeneration();
      } else {
        adopt(secret.orElse(new byte[32]));
      }
      commands.forEach(command -> ports.gateway().send(job.id(), command));
      ports.gateway().control(job.id(), held, alone);
      gauge();
      showAgain();
    }
  }

  /// The server before this one wrote down that it starts workers, and started none. None has
  /// trained, so nothing is lost.
  private boolean isLaunchCutOff(boolean hasSecret) {
    return job.spec().launch() == JobSpec.Launch.LOCAL
        && !begun
        && (!hasSecret || !ports.launcher().hasStarted(job.id()));
  }

  /// Goes on with the workers that the server before this one started.
  private void adopt(byte[] secretHash) {
    openGateway(secretHash);
    leases = newLeases();
    if (job.spec().launch() == JobSpec.Launch.LOCAL) {
      int of = generation;
      ports
          .launcher()
          .watch(
              job.id(),
              job.spec().workers(),
              (worker, status) -> offerAlways(new Message.Exited(of, worker, status)));
    }
  }

  /// A server that could not resume the job has said so in the place of what the session showed.
  private void showAgain() throws InterruptedException {
    boolean isHidden =
        patiently(() -> ports.jobs().standing(job.id()))
            .filter(standing -> standing.reason().equals(JobStore.NOT_RESUMED))
            .isPresent();
    if (isHidden) {
      commit(List.of(), shown.stream().toList());
    }
  }

  private List<SessionEffect> replay(SessionEvent event) {
    clock.restore(event.atSeconds());
    note(event);
    eventSequence++;
    return session.step(event);
  }

  /// Starts a new job, with what was asked of it before.
  ///
  /// @param effects of its beginning and of all that is in its log
  private void begin(List<SessionEffect> effects) throws InterruptedException {
    runClock();
    commit(List.of(), effects);
  }

  /// Nobody knows when workers that come by themselves are started.
  private boolean awaitsOthers() {
    return job.spec().launch() == JobSpec.Launch.EXTERNAL && !begun;
  }

  /// What the job waits for people, or for room for its workers, is not time that it takes.
  private void runClock() {
    clock.run(!held && !awaitsOthers() && nextStart == null);
  }

  private WorkerLeases newLeases() {
    int workers = job.spec().workers();
    return awaitsOthers()
        ? WorkerLeases.awaiting(workers, ports.leases())
        : new WorkerLeases(workers, ports.leases(), System.nanoTime());
  }

  /// Does what needs the database, as soon as it is there.
  private <T> T patiently(Supplier<T> work) throws InterruptedException {
    boolean waited = false;
    while (true) {
      try {
        T result = work.get();
        if (waited) {
          goesOn();
        }
        return result;
      } catch (EspalierException away) {
        requireAway(away);
        standsStill(away);
        waited = true;
        pause();
      }
    }
  }

  /// Kept beside the database, which may be what fails, and told to who looks on.
  private void standsStill(EspalierException why) {
    if (ports.stalls().put(job.id(), String.valueOf(why.getMessage()), Instant.now())) {
      tellStall();
    }
  }

  private void goesOn() {
    if (ports.stalls().remove(job.id())) {
      tellStall();
    }
  }

  private void tellStall() {
    ports
        .publisher()
        .publish(List.of(StreamEvent.stall(job.id(), Instant.now(), ports.stalls().of(job.id()))));
  }

  private void pause() throws InterruptedException {
    if (shutdown) {
      throw new InterruptedException("the server is going down");
    }
    Thread.sleep(RETRY);
  }

  private static void requireAway(EspalierException failure) {
    if (failure.code() != ErrorCode.DATABASE_AWAY) {
      throw failure;
    }
  }

  private boolean isOver() {
    return session.isEnded()
        && (!stopSent
            || leases.attached() == 0
            || System.nanoTime() - stopNanos > STOP_GRACE.toNanos());
  }

  /// One duty cycle: take what has come, make events of it, let the session decide, act.
  private void turn() throws InterruptedException {
    var arrived = new ArrayList<Message>();
    Message first = mailbox.poll(TICK.toMillis(), TimeUnit.MILLISECONDS);
    if (first != null) {
      arrived.add(first);
      mailbox.drainTo(arrived, 1_000);
    }
    makeRoom(arrived);
    var events = new ArrayList<SessionEvent>();
    long oldestNanos = 0;
    for (Message message : arrived) {
      if (message instanceof Message.Reported reported && oldestNanos == 0) {
        oldestNanos = reported.nanos();
      }
      takeInTurn(message, events);
    }
    events.addAll(assembler.drain(clock));
    lost().ifPresent(events::add);
    if (!events.isEmpty() && !session.isEnded()) {
      step(events);
    }
    // What was decided just now may have ended the job.
    launchInTime();
    acknowledge();
    if (oldestNanos != 0) {
      ports.meters().reportLatency((System.nanoTime() - oldestNanos) / 1e9);
    }
  }

  private void makeRoom(List<Message> arrived) {
    long clocks = 0;
    for (Message message : arrived) {
      if (message instanceof Message.Reported reported) {
        clocks += reported.clocks();
      }
    }
    long before = clocksWaiting.getAndAdd(-clocks);
    if (before >= MAX_CLOCKS && before - clocks < MAX_CLOCKS) {
      ports.gateway().listen(job.id());
    }
  }

  /// What stands before a request is decided first: it may end the job, or change what the request
  /// is meant for.
  private void takeInTurn(Message message, List<SessionEvent> events) throws InterruptedException {
    if (message instanceof Message.Asked && !events.isEmpty() && !session.isEnded()) {
      step(events);
      events.clear();
    }
    take(message, events);
  }

  private boolean isMeant(Message.Asked request) {
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

  private void take(Message message, List<SessionEvent> events) {
    switch (message) {
      case Message.Attached(int of, int worker) -> {
        if (of == generation) {
          leases.attach(worker, System.nanoTime());
          log.info("job={} generation={} worker={} attached", job.id(), of, worker);
        }
      }
      case Message.Detached(int of, int worker, String reason) -> {
        if (of == generation) {
          leases.detach(worker, System.nanoTime());
          log.info(
              "job={} generation={} worker={} detached reason={}", job.id(), of, worker, reason);
        }
      }
      case Message.Reported(int of, int worker, long sequence, WorkerReport report, long _) -> {
        if (of == generation) {
          if (report instanceof WorkerReport.Forked(BranchId _, double seconds)) {
            ports.meters().forked(seconds);
          }
          events.addAll(assembler.drain(clock));
          assembler.add(worker, sequence, report, clock.now()).ifPresent(events::add);
        }
      }
      case Message.Exited(int of, int worker, OptionalInt status) -> {
        if (of == generation) {
          leases.exit(worker, status);
        }
      }
      case Message.Stalled(int of, int worker, String what, boolean timedOut) -> {
        if (of == generation && !stopSent) {
          stalled(worker, PrintableText.of(what), timedOut).ifPresent(events::add);
        }
      }
      case Message.Asked request -> {
        if (isMeant(request)) {
          unstored.add(request.turn());
          events.add(new SessionEvent.Requested(clock.now(), request.request(), request.actor()));
        }
      }
      case Message.NotLaunched(int of, EspalierException failure) -> {
        if (of == generation) {
          events.add(
              new SessionEvent.ProgramFailed(
                  clock.now(),
                  failure.code().name(),
                  PrintableText.of(String.valueOf(failure.getMessage()))));
        }
      }
      case Message.Wake() -> {}
    }
  }

  /// A worker that hangs is there and trains nothing: people are told. Where it has taken longer
  /// than it may, it is as lost as one that is gone.
  private Optional<SessionEvent> stalled(int worker, String what, boolean timedOut) {
    if (what.isEmpty()) {
      log.info("job={} worker={} goes on", job.id(), worker);
    } else {
      log.warn("job={} worker={} stalls: {}", job.id(), worker, what);
    }
    ports
        .publisher()
        .publish(
            List.of(
                new StreamEvent(
                    job.id(),
                    0,
                    "worker.stalled",
                    Instant.now(),
                    Map.of("worker", worker, "stall", what))));
    return timedOut
        ? Optional.of(
            new SessionEvent.WorkersLost(
                clock.now(), generation, "worker %d hangs: %s".formatted(worker, what)))
        : Optional.empty();
  }

  private Optional<SessionEvent> lost() {
    if (session.isEnded() || stopSent || generation == 0) {
      return Optional.empty();
    }
    return leases
        .lost(System.nanoTime())
        .map(reason -> new SessionEvent.WorkersLost(clock.now(), generation, reason));
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

  private void commit(List<SessionEvent> events, List<SessionEffect> effects)
      throws InterruptedException {
    var points = new ArrayList<EventLog.MetricPoint>();
    for (SessionEvent event : events) {
      if (event instanceof SessionEvent.Progressed progressed) {
        points.addAll(points(progressed));
        ports.meters().clocks(job.id(), progressed.losses().size());
      }
      note(event);
      if (event instanceof SessionEvent.WorkersReady) {
        runClock();
      }
    }
    var commit = new EventLog.Commit(job.id(), eventSequence + 1, events, effects, points);
    List<StreamEvent> news = append(commit);
    isDone = session.isEnded();
    unstored.forEach(Turn::stored);
    unstored.clear();
    eventSequence += events.size();
    ports.publisher().publish(news);
    act(effects);
  }

  private List<StreamEvent> append(EventLog.Commit commit) throws InterruptedException {
    long since = System.nanoTime();
    boolean warned = false;
    while (true) {
      try {
        List<StreamEvent> news = ports.log().append(commit);
        if (warned) {
          log.info("job={} database is back, the log has caught up", job.id());
          goesOn();
        }
        setAlone(false);
        unwritable = null;
        return news;
      } catch (EspalierException away) {
        requireAway(away);
        if (!warned) {
          log.warn(
              "job={} database is away, training goes on without decisions: {}",
              job.id(),
              away.getMessage());
          warned = true;
        }
        standsStill(away);
        if (System.nanoTime() - since > ALONE_AFTER.toNanos()) {
          setAlone(true);
          unwritable = away;
        }
        pause();
      }
    }
  }

  private void setAlone(boolean now) {
    if (alone != now) {
      alone = now;
      ports.gateway().control(job.id(), held, alone);
    }
  }

  /// Keeps what the log says of workers and of branch seconds.
  private void note(SessionEvent event) {
    assembler.logged(event);
    if (event instanceof SessionEvent.WorkersReady ready && ready.generation() == generation) {
      begun = true;
    }
    if (event instanceof SessionEvent.Progressed progressed) {
      double seconds = secondsOf(progressed.branch());
      for (double clock : progressed.seconds()) {
        seconds += clock;
      }
      branchSeconds.put(progressed.branch(), seconds);
    }
  }

  private List<EventLog.MetricPoint> points(SessionEvent.Progressed progressed) {
    var points = new ArrayList<EventLog.MetricPoint>();
    double seconds = secondsOf(progressed.branch());
    for (int i = 0; i < progressed.losses().size(); i++) {
      seconds += progressed.seconds().get(i);
      points.add(
          new EventLog.MetricPoint(
              progressed.branch().number(),
              progressed.fromClock() + i,
              seconds,
              progressed.losses().get(i)));
    }
    return points;
  }

  private double secondsOf(BranchId branch) {
    return branchSeconds.getOrDefault(branch, 0.0);
  }

  /// Brings numbers and lists up to date with effects that were done before a restart.
  private void bookkeep(List<SessionEffect> effects, List<SequencedCommand> commands) {
    for (SessionEffect effect : effects) {
      switch (effect) {
        case SessionEffect.Command(BranchCommand command) -> commands.add(number(command));
        case SessionEffect.LaunchWorkers(int next) -> {
          beginGeneration(next);
          commands.clear();
        }
        case SessionEffect.Hold(boolean now) -> held = now;
        case SessionEffect.BranchChanged changed -> countBranch(changed);
        case SessionEffect.TimeSpent spent -> tuningShare = JobPlans.tuningShare(spent);
        case SessionEffect.JobChanged changed -> shown = Optional.of(changed);
        default -> {}
      }
    }
  }

  private void act(List<SessionEffect> effects) throws InterruptedException {
    for (SessionEffect effect : effects) {
      switch (effect) {
        case SessionEffect.Command(BranchCommand command) ->
            ports.gateway().send(job.id(), number(command));
        case SessionEffect.LaunchWorkers(int next) -> launch(next);
        case SessionEffect.KillWorkers _ -> {
          ports.gateway().close(job.id(), "the job was killed");
          ports.launcher().kill(job.id());
        }
        case SessionEffect.Hold(boolean now) -> {
          held = now;
          runClock();
          ports.gateway().control(job.id(), held, alone);
        }
        case SessionEffect.BranchChanged changed -> {
          countBranch(changed);
          gauge();
        }
        case SessionEffect.RoundChanged round -> {
          if (round.phase().equals("probing") || round.phase().equals("racing")) {
            ports.meters().roundStarted(job.id());
          }
        }
        case SessionEffect.TimeSpent spent -> {
          tuningShare = JobPlans.tuningShare(spent);
          gauge();
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
            SessionEffect.ResultChanged _,
            SessionEffect.SnapshotChanged _,
            SessionEffect.Ignored _ -> {}
      }
    }
  }

  private void gauge() {
    ports.meters().branches(job.id(), liveBranches.size());
    ports.meters().tuningShare(job.id(), tuningShare);
  }

  private void countBranch(SessionEffect.BranchChanged changed) {
    boolean live =
        switch (changed.state()) {
          case FORKING, WAITING, RUNNING, MEASURED -> true;
          // A kept branch that still trains is reported as running next; else it has been freed.
          case KEPT, DISCARDED, FAILED, LOST -> false;
        };
    if (live) {
      liveBranches.add(changed.branch());
    } else {
      liveBranches.remove(changed.branch());
    }
  }

  private SequencedCommand number(BranchCommand command) {
    var sequenced = new SequencedCommand(++commandSequence, command);
    switch (command) {
      case BranchCommand.Evaluate(BranchId branch, long evaluation) ->
          assembler.expectEvaluation(evaluation, branch);
      case BranchCommand.Probe(BranchId branch, long evaluation, long _) ->
          assembler.expectEvaluation(evaluation, branch);
      case BranchCommand.Checkpoint(BranchId branch, long checkpoint) ->
          assembler.expectCheckpoint(checkpoint, branch);
      case BranchCommand.Stop _ -> {
        stopSent = true;
        stopNanos = System.nanoTime();
      }
      case BranchCommand.Create _,
          BranchCommand.Restore _,
          BranchCommand.Fork _,
          BranchCommand.Schedule _,
          BranchCommand.Free _,
          BranchCommand.DropCheckpoint _ -> {}
    }
    return sequenced;
  }

  private void beginGeneration(int next) {
    vain = begun || generation == 0 ? 0 : vain + 1;
    generation = next;
    nextStart = null;
    begun = false;
    commandSequence = 0;
    assembler = newAssembler(next);
  }

  private ReportAssembler newAssembler(int of) {
    return new ReportAssembler(of, job.spec().workers(), job.spec().time(), program.validation());
  }

  private void launch(int next) throws InterruptedException {
    beginGeneration(next);
    launchGeneration();
  }

  private void launchGeneration() throws InterruptedException {
    int of = generation;
    leases = WorkerLeases.awaiting(job.spec().workers(), ports.leases());
    runClock();
    ports.launcher().kill(job.id());
    byte[] secretBytes = new byte[32];
    random.nextBytes(secretBytes);
    String secret = HexFormat.of().formatHex(secretBytes);
    byte[] hash = Secrets.sha256(secret);
    patiently(() -> {
      ports.jobs().putWorkerSecret(job.id(), of, hash);
      return true;
    });
    var start = new Start(of, secret, hash, System.nanoTime(), true);
    if (vain == 0 || job.spec().launch() == JobSpec.Launch.EXTERNAL) {
      launch(start);
    } else {
      pauseBefore(start);
    }
  }

  /// A generation whose processes are to be started.
  ///
  /// @param sinceNanos from when on the time for tries counts
  private record Start(
      int generation, String secret, byte[] secretHash, long sinceNanos, boolean isFirst) {}

  /// Workers that end before all are there may lack what the system has again soon: memory,
  /// threads. Started at once they would use up the few losses that a job may have within a second.
  private void pauseBefore(Start start) {
    Duration pause = FIRST_PAUSE.multipliedBy(1L << Math.min(vain - 1, MAX_PAUSE_DOUBLINGS));
    log.warn(
        "job={} generation={} starts in {} s: of the one before not all workers were ever there",
        job.id(),
        start.generation(),
        pause.toSeconds());
    ports.gateway().close(job.id(), "their generation is over");
    launchLater(start, pause);
  }

  private void launchLater(Start start, Duration pause) {
    leases = WorkerLeases.awaiting(job.spec().workers(), ports.leases());
    nextStart = start;
    nextStartNanos = System.nanoTime() + pause.toNanos();
    runClock();
  }

  private void launch(Start start) {
    int of = start.generation();
    try {
      openGateway(start.secretHash());
      if (job.spec().launch() == JobSpec.Launch.LOCAL) {
        ports
            .launcher()
            .launch(
                job.id(),
                job.spec(),
                of,
                start.secret(),
                (worker, status) -> offerAlways(new Message.Exited(of, worker, status)));
      }
    } catch (EspalierException failure) {
      notLaunched(start, failure);
      return;
    }
    leases = newLeases();
    runClock();
    goesOn();
    log.info("job={} generation={} workers={} started", job.id(), of, job.spec().workers());
  }

  /// A disk that is full, or a system that gives no more processes, may have room again soon.
  private void notLaunched(Start start, EspalierException failure) {
    if (System.nanoTime() - start.sinceNanos() >= ports.leases().launch().toNanos()) {
      // The job must say so instead of waiting for nobody.
      offerAlways(new Message.NotLaunched(start.generation(), failure));
      return;
    }
    if (start.isFirst()) {
      log.warn("job={} {}; trying again", job.id(), failure.getMessage());
    }
    standsStill(failure);
    launchLater(
        new Start(
            start.generation(), start.secret(), start.secretHash(), start.sinceNanos(), false),
        LAUNCH_AGAIN);
  }

  /// Where the system gives no threads, a timer would have none either: the runner's own sees to
  /// it.
  private void launchInTime() {
    Start start = nextStart;
    if (start != null
        && System.nanoTime() - nextStartNanos >= 0
        && !session.isEnded()
        && !shutdown) {
      nextStart = null;
      launch(start);
    }
  }

  private void openGateway(byte[] secretHash) {
    JobSpec spec = job.spec();
    var group =
        new WorkerGateway.WorkerGroup(
            job.id(),
            generation,
            begun,
            spec.workers(),
            secretHash,
            spec.program(),
            spec.arguments(),
            data,
            spec.seed(),
            spec.launch() == JobSpec.Launch.LOCAL ? ports.checkpointFolder().apply(job.id()) : "",
            plan.heldOut(),
            spec.communication(),
            spec.gpuMemoryBytes(),
            spec.limits().clockTimeoutSeconds());
    ports.gateway().open(group, new Link(generation));
    ports.gateway().control(job.id(), held, alone);
  }

  private void acknowledge() {
    long[] consumed = assembler.consumed();
    for (int worker = 0; worker < consumed.length; worker++) {
      if (consumed[worker] > 0) {
        ports.gateway().acknowledge(job.id(), worker, consumed[worker]);
      }
    }
  }

  private void release() {
    ports.gateway().close(job.id(), "the job has ended");
    ports.launcher().kill(job.id());
    goesOn();
    ports.meters().ended(job.id());
    log.info("job={} events={} ended", job.id(), eventSequence);
  }

  /// Brings what the link's threads hear into the mailbox.
  private final class Link implements WorkerGateway.Listener {
    private final int of;

    private Link(int of) {
      this.of = of;
    }

    @Override
    public void attached(int worker) {
      offerAlways(new Message.Attached(of, worker));
    }

    @Override
    public void reported(int worker, long reportSequence, WorkerReport report) {
      var message = new Message.Reported(of, worker, reportSequence, report, System.nanoTime());
      clocksWaiting.addAndGet(message.clocks());
      offerAlways(message);
    }

    @Override
    public boolean takesReports() {
      return clocksWaiting.get() < MAX_CLOCKS;
    }

    @Override
    public void detached(int worker, String reason) {
      offerAlways(new Message.Detached(of, worker, reason));
    }

    @Override
    public void stalled(int worker, String message, boolean timedOut) {
      offerAlways(new Message.Stalled(of, worker, message, timedOut));
    }
  }
}
