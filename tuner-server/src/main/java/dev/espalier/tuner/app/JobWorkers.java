package dev.espalier.tuner.app;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.SequencedCommand;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.PrintableText;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.app.Mailbox.Attached;
import dev.espalier.tuner.app.Mailbox.Detached;
import dev.espalier.tuner.app.Mailbox.Exited;
import dev.espalier.tuner.app.Mailbox.NotLaunched;
import dev.espalier.tuner.app.Mailbox.Reported;
import dev.espalier.tuner.app.Mailbox.Stalled;
import dev.espalier.tuner.app.port.JobStore.StoredJob;
import dev.espalier.tuner.app.port.WorkerGateway;
import dev.espalier.tuner.core.session.SessionEvent;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The workers of a job, one generation after the other: starts and ends them, numbers what they
/// are told, and makes events of what they say. For the thread of the job's runner.
final class JobWorkers {
  private static final Logger log = LoggerFactory.getLogger(JobWorkers.class);
  private static final Duration STOP_GRACE = Duration.ofSeconds(15);
  private static final Duration LAUNCH_AGAIN = Duration.ofSeconds(2);
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  // To 32 s.
  private static final int MAX_PAUSE_DOUBLINGS = 5;

  private final StoredJob job;
  private final ProgramDescriptor program;
  private final String data;
  private final HeldOut heldOut;
  private final RunnerPorts ports;
  private final JobClock clock;
  private final Mailbox mailbox;
  private final JobRecord record;
  private final SecureRandom random = new SecureRandom();
  private final List<SequencedCommand> recalled = new ArrayList<>();

  private WorkerLeases leases;
  private ReportAssembler assembler;
  private int generation;
  // Whether all workers of the generation have been there.
  private boolean begun;
  // Whether nothing came since they were all there: a launch that follows at once sends them away.
  private boolean readyLast;
  // Generations before it, one after the other, that never were, or were sent away.
  private int vain;
  private long commandSequence;
  private boolean held;
  private boolean alone;
  private boolean stopSent;
  private long stopNanos;
  // What is to be launched later.
  private @Nullable Start nextStart;
  private long nextStartNanos;

  /// @param data folder of the data at the workers; empty for none
  /// @param clock of the job, which stands still while workers are waited for
  JobWorkers(
      StoredJob job,
      ProgramDescriptor program,
      String data,
      HeldOut heldOut,
      RunnerPorts ports,
      JobClock clock,
      Mailbox mailbox,
      JobRecord record) {
    this.job = job;
    this.program = program;
    this.data = data;
    this.heldOut = heldOut;
    this.ports = ports;
    this.clock = clock;
    this.mailbox = mailbox;
    this.record = record;
    this.assembler = newAssembler(0);
    this.leases = new WorkerLeases(job.spec().workers(), ports.leases(), System.nanoTime());
  }

  int generation() {
    return generation;
  }

  // What the log says, up to where the server before this one ended.

  /// Takes note of an event that is in the log, or will be next.
  void logged(SessionEvent event) {
    assembler.logged(event);
    readyLast =
        event instanceof SessionEvent.WorkersReady ready && ready.generation() == generation;
    begun |= readyLast;
  }

  /// Workers may have been told this.
  void recall(BranchCommand command) {
    recalled.add(number(command));
  }

  /// Workers were to be started, and those before them are gone.
  void recallLaunch(int next) {
    beginGeneration(next);
    recalled.clear();
  }

  void recallHold(boolean now) {
    held = now;
  }

  /// Goes on with the workers that the server before this one had, or starts those that it did not
  /// come to start.
  void resume() throws InterruptedException {
    Optional<byte[]> secret =
        record.patiently(() -> ports.jobs().workerSecret(job.id(), generation));
    if (isLaunchCutOff(secret.isPresent())) {
      launchGeneration();
    } else {
      adopt(secret.orElse(new byte[32]));
    }
    recalled.forEach(command -> ports.gateway().send(job.id(), command));
    recalled.clear();
    control();
  }

  /// The server before this one wrote down that it starts workers, and started none. None has
  /// trained, so nothing is lost.
  private boolean isLaunchCutOff(boolean hasSecret) {
    return areLocal() && !begun && (!hasSecret || !ports.launcher().hasStarted(job.id()));
  }

  private void adopt(byte[] secretHash) {
    openGateway(secretHash);
    leases = newLeases();
    if (areLocal()) {
      int of = generation;
      ports
          .launcher()
          .watch(
              job.id(),
              job.spec().workers(),
              (worker, status) -> mailbox.add(new Exited(of, worker, status)));
    }
  }

  // What they are told.

  void send(BranchCommand command) {
    ports.gateway().send(job.id(), number(command));
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

  /// Lets them stand still, or go on.
  void hold(boolean now) {
    held = now;
    runClock();
    control();
  }

  /// Tells them whether they have to do without decisions.
  void leaveAlone(boolean now) {
    if (alone != now) {
      alone = now;
      control();
    }
  }

  private void control() {
    ports.gateway().control(job.id(), held, alone);
  }

  /// Confirms the reports that are in the log: they need not be sent again.
  void acknowledge() {
    long[] consumed = assembler.consumed();
    for (int worker = 0; worker < consumed.length; worker++) {
      if (consumed[worker] > 0) {
        ports.gateway().acknowledge(job.id(), worker, consumed[worker]);
      }
    }
  }

  // What they say.

  /// Takes a message in.
  ///
  /// @param events to which are added those that it completes
  void take(Mailbox.OfWorkers message, List<SessionEvent> events) {
    if (message.generation() != generation) {
      return;
    }
    switch (message) {
      case Attached(int of, int worker) -> {
        leases.attach(worker, System.nanoTime());
        log.info("job={} generation={} worker={} attached", job.id(), of, worker);
      }
      case Detached(int of, int worker, String reason) -> {
        leases.detach(worker, System.nanoTime());
        assembler.left(worker);
        log.info("job={} generation={} worker={} detached reason={}", job.id(), of, worker, reason);
      }
      case Reported(int _, int worker, long sequence, WorkerReport report, long _) -> {
        if (report instanceof WorkerReport.Forked(BranchId _, double seconds)) {
          ports.meters().forked(seconds);
        }
        events.addAll(drain());
        assembler.add(worker, sequence, report, clock.now()).ifPresent(events::add);
      }
      case Exited(int _, int worker, OptionalInt status) -> leases.exit(worker, status);
      case Stalled(int _, int worker, String what, boolean timedOut) -> {
        if (!stopSent) {
          stalled(worker, PrintableText.of(what), timedOut).ifPresent(events::add);
        }
      }
      case NotLaunched(int _, EspalierException failure) ->
          events.add(
              new SessionEvent.ProgramFailed(
                  clock.now(),
                  failure.code().name(),
                  PrintableText.of(String.valueOf(failure.getMessage()))));
    }
  }

  /// {@return what all of them have said by now}
  List<SessionEvent> drain() {
    return assembler.drain(clock);
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

  /// {@return that they are lost, once one has been away for too long}
  Optional<SessionEvent> lost() {
    if (stopSent || generation == 0) {
      return Optional.empty();
    }
    return leases
        .lost(System.nanoTime())
        .map(reason -> new SessionEvent.WorkersLost(clock.now(), generation, reason));
  }

  /// {@return whether those that were told to stop have gone, or had the time to}
  boolean haveLeft() {
    return !stopSent
        || leases.attached() == 0
        || System.nanoTime() - stopNanos > STOP_GRACE.toNanos();
  }

  // How they begin and end.

  /// Starts a generation in the place of the one before.
  void launch(int next) throws InterruptedException {
    beginGeneration(next);
    launchGeneration();
  }

  private void beginGeneration(int next) {
    vain = (begun && !readyLast) || generation == 0 ? 0 : vain + 1;
    readyLast = false;
    generation = next;
    nextStart = null;
    begun = false;
    commandSequence = 0;
    assembler = newAssembler(next);
  }

  private ReportAssembler newAssembler(int of) {
    return new ReportAssembler(of, job.spec().workers(), job.spec().time(), program.validation());
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
    record.patiently(() -> {
      ports.jobs().putWorkerSecret(job.id(), of, hash);
      return true;
    });
    var start = new Start(of, secret, hash, System.nanoTime(), true);
    if (vain == 0 || !areLocal()) {
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

  /// Starts those that were to be started later, once it is time. Where the system gives no
  /// threads, a timer would have none either: the runner's own sees to it.
  void launchInTime() {
    Start start = nextStart;
    if (start != null && System.nanoTime() - nextStartNanos >= 0) {
      nextStart = null;
      launch(start);
    }
  }

  private void launch(Start start) {
    int of = start.generation();
    try {
      openGateway(start.secretHash());
      if (areLocal()) {
        ports
            .launcher()
            .launch(
                job.id(),
                job.spec(),
                of,
                start.secret(),
                (worker, status) -> mailbox.add(new Exited(of, worker, status)));
      }
    } catch (EspalierException failure) {
      notLaunched(start, failure);
      return;
    }
    leases = newLeases();
    runClock();
    record.goesOn();
    log.info("job={} generation={} workers={} started", job.id(), of, job.spec().workers());
  }

  /// A disk that is full, or a system that gives no more processes, may have room again soon.
  private void notLaunched(Start start, EspalierException failure) {
    if (System.nanoTime() - start.sinceNanos() >= ports.leases().launch().toNanos()) {
      // The job must say so instead of waiting for nobody.
      mailbox.add(new NotLaunched(start.generation(), failure));
      return;
    }
    if (start.isFirst()) {
      log.warn("job={} {}; trying again", job.id(), failure.getMessage());
    }
    record.standsStill(failure);
    launchLater(
        new Start(
            start.generation(), start.secret(), start.secretHash(), start.sinceNanos(), false),
        LAUNCH_AGAIN);
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
            areLocal() ? ports.checkpointFolder().apply(job.id()) : "",
            heldOut,
            spec.communication(),
            spec.gpuMemoryBytes(),
            spec.limits().clockTimeoutSeconds());
    ports.gateway().open(group, new Link(generation));
    control();
  }

  /// Ends them at once.
  void end(String why) {
    ports.gateway().close(job.id(), why);
    ports.launcher().kill(job.id());
  }

  /// Leaves them to another server.
  void abandon() {
    ports.gateway().abandon(job.id());
  }

  // How long they may take.

  private WorkerLeases newLeases() {
    int workers = job.spec().workers();
    return awaitsOthers()
        ? WorkerLeases.awaiting(workers, ports.leases())
        : new WorkerLeases(workers, ports.leases(), System.nanoTime());
  }

  /// What the job waits for people, or for room for its workers, is not time that it takes.
  void runClock() {
    clock.run(!held && !awaitsOthers() && nextStart == null);
  }

  /// Nobody knows when workers that come by themselves are started.
  private boolean awaitsOthers() {
    return !areLocal() && !begun;
  }

  private boolean areLocal() {
    return job.spec().launch() == JobSpec.Launch.LOCAL;
  }

  /// Brings what the link's threads hear into the mailbox.
  private final class Link implements WorkerGateway.Listener {
    private final int of;

    private Link(int of) {
      this.of = of;
    }

    @Override
    public void attached(int worker) {
      mailbox.add(new Attached(of, worker));
    }

    @Override
    public void reported(int worker, long reportSequence, WorkerReport report) {
      mailbox.add(new Reported(of, worker, reportSequence, report, System.nanoTime()));
    }

    @Override
    public boolean takesReports() {
      return mailbox.hasRoom();
    }

    @Override
    public void detached(int worker, String reason) {
      mailbox.add(new Detached(of, worker, reason));
    }

    @Override
    public void stalled(int worker, String message, boolean timedOut) {
      mailbox.add(new Stalled(of, worker, message, timedOut));
    }
  }
}
