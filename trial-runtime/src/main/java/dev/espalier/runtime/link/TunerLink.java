package dev.espalier.runtime.link;

import dev.espalier.api.model.Communication;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.ProbeSource;
import dev.espalier.api.model.SequencedCommand;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.api.wire.WireCodec;
import dev.espalier.api.wire.v1.Applied;
import dev.espalier.api.wire.v1.Attach;
import dev.espalier.api.wire.v1.Report;
import dev.espalier.api.wire.v1.Stall;
import dev.espalier.api.wire.v1.TunerMessage;
import dev.espalier.api.wire.v1.Welcome;
import dev.espalier.api.wire.v1.WorkerMessage;
import dev.espalier.api.wire.v1.WorkerServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A worker's session with the tuner: attach, receive, report, and come back after a break.
///
/// `report` and `applied` never block on the network. Commands come out of `inbox` once each, in
/// order. Reports are kept until the tuner has them in its log.
public final class TunerLink implements AutoCloseable {
  /*
   * State is guarded by this object's lock. A broken stream is replaced by a new one after a pause
   * that doubles from 100 ms to 2 s; the first message says what was applied, the answer what was
   * logged, and both sides send the rest again.
   */

  private static final Logger log = LoggerFactory.getLogger(TunerLink.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LAST_PAUSE = Duration.ofSeconds(2);
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int REPORT_BOUND = 200_000;

  private final Identity identity;
  private final LongSupplier nanoTime;
  private final ManagedChannel channel;
  private final WorkerServiceGrpc.WorkerServiceStub stub;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("tuner-link").factory());
  private final BlockingDeque<Inbound> inbox = new LinkedBlockingDeque<>();
  private final CompletableFuture<Void> turnedAway = new CompletableFuture<>();

  private final Deque<Report> unacknowledged = new ArrayDeque<>();
  private @Nullable Answers current;
  private @Nullable StreamObserver<WorkerMessage> stream;
  private boolean welcome;
  private boolean everWelcomed;
  private long brokenSinceNanos;
  private boolean refused;
  private long refusedSinceNanos;
  private String notYet = "";
  private String unreachable = "";
  private Duration pause = FIRST_PAUSE;
  private int generation;
  private int worker;
  private long applied;
  private long received;
  private long reportSequence;
  private boolean held;
  private boolean toldAlone;
  private boolean closed;
  private Stall stall = Stall.getDefaultInstance();

  private TunerLink(Identity identity, LongSupplier nanoTime) {
    this.identity = identity;
    this.nanoTime = nanoTime;
    this.brokenSinceNanos = nanoTime.getAsLong();
    this.generation = identity.generation();
    this.worker = identity.worker();
    this.channel = TunerChannel.open(identity.tunerAddress(), identity.trusted());
    var headers = new Metadata();
    headers.put(
        Metadata.Key.of(WireCodec.SECRET_KEY, Metadata.ASCII_STRING_MARSHALLER), identity.secret());
    this.stub =
        WorkerServiceGrpc.newStub(channel)
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  /// Opens a link; it connects in the background and for as long as it is open.
  public static TunerLink open(Identity identity) {
    return open(identity, System::nanoTime);
  }

  /// @param nanoTime the clock that patience is measured with
  public static TunerLink open(Identity identity, LongSupplier nanoTime) {
    var link = new TunerLink(identity, nanoTime);
    link.timer.execute(link::connect);
    return link;
  }

  /// Who a worker is.
  ///
  /// @param tunerAddress host:port, with `https://` before it for one that is encrypted
  /// @param secret the job's worker secret or an API token; never logged
  /// @param generation 0 when unknown
  /// @param worker -1 when unknown; without a generation the number that is wished for
  /// @param shardAddress where other workers reach this worker's shard, host:port
  /// @param trusted PEM file of the certificates to trust; empty for those that Java trusts
  public record Identity(
      String tunerAddress,
      String job,
      String secret,
      int generation,
      int worker,
      String shardAddress,
      Optional<Path> trusted) {
    @Override
    public String toString() {
      return "worker " + worker + " of " + job + " at " + tunerAddress;
    }
  }

  /// What comes out of the inbox.
  public sealed interface Inbound {
    /// Said once, before anything else.
    record Welcomed(Assignment assignment) implements Inbound {}

    /// Where all shards are, in the order of workers; may be said again.
    record PeersKnown(List<String> shardAddresses) implements Inbound {}

    record Commanded(SequencedCommand command) implements Inbound {}

    /// The worker must end.
    record TurnedAway(String code, String message) implements Inbound {}
  }

  /// What a worker is to do.
  ///
  /// @param data empty for none
  /// @param checkpoints empty to choose oneself
  /// @param heldOut which samples branches are judged by
  /// @param communication how workers exchange parameters and updates
  /// @param gpuMemoryBytes bytes of a GPU's memory for this worker's part of the tables; 0 for the
  ///   host
  /// @param clockTimeout how long one call of the program may run; zero for no bound
  public record Assignment(
      int generation,
      int worker,
      int workers,
      String program,
      Map<String, String> arguments,
      String data,
      long seed,
      String checkpoints,
      HeldOut heldOut,
      Communication communication,
      long gpuMemoryBytes,
      Duration clockTimeout) {
    public Assignment {
      arguments = Map.copyOf(arguments);
    }

    /// {@return the same of another worker}
    public Assignment of(int number) {
      return new Assignment(
          generation,
          number,
          workers,
          program,
          arguments,
          data,
          seed,
          checkpoints,
          heldOut,
          communication,
          gpuMemoryBytes,
          clockTimeout);
    }
  }

  public BlockingDeque<Inbound> inbox() {
    return inbox;
  }

  /// Runs `end` as soon as the tuner turns this worker away, for one that waits for others and does
  /// not look into its inbox.
  ///
  /// @param end run by a thread of its own
  public void whenTurnedAway(Runnable end) {
    var _ =
        turnedAway.thenRunAsync(
            end, task -> Thread.ofPlatform().daemon().name("turned-away").start(task));
  }

  /// {@return whether the tuner has turned this worker away}
  public boolean isTurnedAway() {
    return turnedAway.isDone();
  }

  /// {@return whether the tuner wishes that workers stand still between clocks}
  public synchronized boolean isHeld() {
    return held && !closed;
  }

  /// {@return whether no command can come: the tuner said so, or the link has been broken for
  /// longer than `grace`}
  public synchronized boolean isAlone(Duration grace) {
    return toldAlone || brokenFor().compareTo(grace) > 0;
  }

  /// {@return for how long there has been no link; zero while there is one}
  public synchronized Duration brokenFor() {
    return welcome ? Duration.ZERO : Duration.ofNanos(nanoTime.getAsLong() - brokenSinceNanos);
  }

  /// {@return why the tuner does not let this worker in yet, in its words; empty when it does not
  /// answer at all}
  public synchronized String notYet() {
    return notYet;
  }

  /// Reports; kept and sent again until the tuner has it in its log.
  ///
  /// @throws EspalierException `WORKERS_LOST` when too many wait for it
  public synchronized void report(WorkerReport report) {
    if (unacknowledged.size() >= REPORT_BOUND) {
      throw new EspalierException(
          ErrorCode.WORKERS_LOST,
          "the tuner has been away for too long: " + REPORT_BOUND + " reports wait for it");
    }
    Report wire = WireCodec.encode(++reportSequence, report);
    unacknowledged.add(wire);
    if (welcome) {
      send(WorkerMessage.newBuilder().setReport(wire).build());
    }
  }

  /// Says that a command and all before it have been applied.
  public synchronized void applied(long sequence) {
    applied = sequence;
    if (welcome) {
      send(
          WorkerMessage.newBuilder()
              .setApplied(Applied.newBuilder().setSequence(sequence))
              .build());
    }
  }

  /// Says that a call of the program runs far longer than usual, or, with an empty message, that it
  /// goes on; said again when the link comes back.
  ///
  /// @param timedOut whether it has run longer than it may
  public synchronized void stall(String message, boolean timedOut) {
    stall = Stall.newBuilder().setMessage(message).setTimedOut(timedOut).build();
    if (welcome) {
      send(WorkerMessage.newBuilder().setStall(stall).build());
    }
  }

  private synchronized void connect() {
    if (closed) {
      return;
    }
    // A call that fails at once says so before `session` returns: only who is current counts.
    var answers = new Answers();
    current = answers;
    StreamObserver<WorkerMessage> started = stub.session(answers);
    if (current != answers) {
      return;
    }
    stream = started;
    send(
        WorkerMessage.newBuilder()
            .setAttach(
                Attach.newBuilder()
                    .setJob(identity.job())
                    .setGeneration(generation)
                    .setWorker(worker)
                    .setShardAddress(identity.shardAddress())
                    .setAppliedSequence(received)
                    .setProtocolVersion(WireCodec.PROTOCOL_VERSION))
            .build());
  }

  private void send(WorkerMessage message) {
    StreamObserver<WorkerMessage> out = stream;
    if (out != null) {
      try {
        out.onNext(message);
      } catch (IllegalStateException broken) {
        log.debug("stream is gone, message waits: {}", broken.getMessage());
      }
    }
  }

  private synchronized void take(TunerMessage message, Answers from) {
    if (closed || current != from) {
      return;
    }
    switch (message.getBodyCase()) {
      case WELCOME -> welcomed(message.getWelcome());
      case REJECT -> rejected(message.getReject().getCode(), message.getReject().getMessage());
      case PEERS -> inbox.add(new Inbound.PeersKnown(message.getPeers().getShardAddressesList()));
      case COMMAND -> {
        SequencedCommand command = WireCodec.decode(message.getCommand());
        if (command.sequence() > received) {
          received = command.sequence();
          inbox.add(new Inbound.Commanded(command));
        }
      }
      case ACKNOWLEDGE -> dropThrough(message.getAcknowledge().getReportSequence());
      case CONTROL -> {
        held = message.getControl().getHeld();
        toldAlone = message.getControl().getAlone();
      }
      case BODY_NOT_SET -> log.debug("message without a body ignored");
    }
  }

  private void welcomed(Welcome said) {
    generation = said.getGeneration();
    worker = said.getWorker();
    welcome = true;
    pause = FIRST_PAUSE;
    refused = false;
    notYet = "";
    if (!everWelcomed) {
      inbox.add(
          new Inbound.Welcomed(
              new Assignment(
                  said.getGeneration(),
                  said.getWorker(),
                  said.getWorkers(),
                  said.getProgram(),
                  said.getArgumentsMap(),
                  said.getData(),
                  said.getSeed(),
                  said.getCheckpoints(),
                  new HeldOut(
                      said.getProbeSamples(),
                      said.getProbeMaxShare(),
                      said.getProbeValidation() ? ProbeSource.VALIDATION : ProbeSource.HELD_OUT),
                  WireCodec.communication(said),
                  said.getGpuMemoryBytes(),
                  Duration.ofNanos(Math.round(said.getClockTimeoutSeconds() * 1e9)))));
    }
    everWelcomed = true;
    dropThrough(said.getAcknowledgedReport());
    applied(applied);
    unacknowledged.forEach(report -> send(WorkerMessage.newBuilder().setReport(report).build()));
    if (!stall.getMessage().isEmpty()) {
      send(WorkerMessage.newBuilder().setStall(stall).build());
    }
    log.info("attached generation={} worker={}", generation, worker);
  }

  private void dropThrough(long sequence) {
    while (!unacknowledged.isEmpty() && unacknowledged.getFirst().getSequence() <= sequence) {
      unacknowledged.removeFirst();
    }
  }

  private void rejected(String code, String message) {
    if (code.equals(ErrorCode.NOT_READY.name())) {
      waitFor(message);
    } else if (!mayPass(code)) {
      closed = true;
      inbox.add(new Inbound.TurnedAway(code, message));
      turnedAway.complete(null);
    }
  }

  private void waitFor(String reason) {
    if (!notYet.equals(reason)) {
      log.info("the tuner does not let this worker in yet: {}; it asks again", reason);
    }
    notYet = reason;
    refused = false;
  }

  /// A server that has just come back may not know the secrets of its jobs yet, so a worker that
  /// belongs to a generation has some patience with it.
  private boolean mayPass(String code) {
    if (generation == 0 || !(code.equals("UNAUTHENTICATED") || code.equals("TOO_MANY_REQUESTS"))) {
      return false;
    }
    long now = nanoTime.getAsLong();
    if (!refused) {
      refused = true;
      refusedSinceNanos = now;
    }
    return now - refusedSinceNanos < PATIENCE.toNanos();
  }

  /// The server is away; the next one gets as much patience as this one got.
  private synchronized void cut(String reason, Answers from) {
    if (!closed && current == from) {
      refused = false;
      notYet = "";
      sayUnreachable(reason);
    }
    broken(reason, from);
  }

  /// A server that has never answered may be named wrongly, or show a wrong certificate.
  private void sayUnreachable(String reason) {
    if (!everWelcomed && !reason.equals(unreachable)) {
      unreachable = reason;
      log.warn(
          "the tuner at {} cannot be reached: {}; trying again", identity.tunerAddress(), reason);
    }
  }

  private synchronized void broken(String reason, Answers from) {
    if (closed || current != from) {
      return;
    }
    if (welcome) {
      brokenSinceNanos = nanoTime.getAsLong();
      log.warn("link to the tuner broke: {}; training goes on", reason);
    }
    welcome = false;
    toldAlone = false;
    current = null;
    stream = null;
    timer.schedule(this::connect, pause.toMillis(), TimeUnit.MILLISECONDS);
    Duration doubled = pause.multipliedBy(2);
    pause = doubled.compareTo(LAST_PAUSE) > 0 ? LAST_PAUSE : doubled;
    channel.resetConnectBackoff();
  }

  /// Waits until everything reported is in the tuner's log, or for `patience`; not at all when the
  /// tuner has turned this worker away.
  public void flush(Duration patience) throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    while (System.nanoTime() < deadline && !isFlushed()) {
      Thread.sleep(10);
    }
  }

  private synchronized boolean isFlushed() {
    return unacknowledged.isEmpty() || closed;
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      StreamObserver<WorkerMessage> out = stream;
      if (out != null) {
        try {
          out.onCompleted();
        } catch (IllegalStateException gone) {
          log.debug("stream was closed before: {}", gone.getMessage());
        }
      }
    }
    timer.shutdownNow();
    channel.shutdown();
    try {
      if (!channel.awaitTermination(1, TimeUnit.SECONDS)) {
        channel.shutdownNow();
      }
    } catch (InterruptedException _) {
      channel.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }

  /// One stream's answers; those of a stream that was replaced are ignored.
  private final class Answers implements StreamObserver<TunerMessage> {
    @Override
    public void onNext(TunerMessage message) {
      take(message, this);
    }

    @Override
    public void onError(Throwable failure) {
      cut(TunerChannel.refusal(identity.tunerAddress(), Status.fromThrowable(failure)), this);
    }

    @Override
    public void onCompleted() {
      broken("closed by the tuner", this);
    }
  }
}
