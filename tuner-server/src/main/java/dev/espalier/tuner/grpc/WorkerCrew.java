package dev.espalier.tuner.grpc;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.ProbeSource;
import dev.espalier.api.model.SequencedCommand;
import dev.espalier.api.rest.WorkerView;
import dev.espalier.api.wire.WireCodec;
import dev.espalier.api.wire.v1.Acknowledge;
import dev.espalier.api.wire.v1.Attach;
import dev.espalier.api.wire.v1.Control;
import dev.espalier.api.wire.v1.Peers;
import dev.espalier.api.wire.v1.Reject;
import dev.espalier.api.wire.v1.Stall;
import dev.espalier.api.wire.v1.TunerMessage;
import dev.espalier.api.wire.v1.Welcome;
import dev.espalier.tuner.app.Secrets;
import dev.espalier.tuner.app.port.WorkerGateway.Listener;
import dev.espalier.tuner.app.port.WorkerGateway.WorkerGroup;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// One generation of a job's workers and the commands they have been sent.
///
/// Guarded by its own lock. Streams are written under the lock, so every worker gets commands in
/// the order of their numbers.
final class WorkerCrew {
  private final WorkerGroup group;
  private final Listener listener;
  private final Deque<SequencedCommand> commands = new ArrayDeque<>();
  private final @Nullable StreamObserver<TunerMessage>[] streams;
  private final String[] shardAddresses;
  private final @Nullable Instant[] heard;
  private final @Nullable String[] stalls;
  private final long[] applied;
  private final long[] acknowledged;
  private final List<Runnable> unheard = new ArrayList<>();
  private boolean held;
  private boolean alone;
  private boolean complete;
  private boolean closed;
  private byte[] tokenSha256 = {};

  @SuppressWarnings({"unchecked", "rawtypes"})
  WorkerCrew(WorkerGroup group, Listener listener) {
    this.group = group;
    this.listener = listener;
    this.streams = new StreamObserver[group.workers()];
    this.shardAddresses = new String[group.workers()];
    this.heard = new Instant[group.workers()];
    this.stalls = new String[group.workers()];
    this.applied = new long[group.workers()];
    this.acknowledged = new long[group.workers()];
    Arrays.fill(shardAddresses, "");
  }

  boolean admits(String secret) {
    return Secrets.matches(secret, group.secretSha256());
  }

  /// Remembers the token of workers that were let in, for as long as the database is away.
  synchronized void remember(String token) {
    tokenSha256 = Secrets.sha256(token);
  }

  synchronized void forgetToken() {
    tokenSha256 = new byte[0];
  }

  synchronized boolean remembers(String token) {
    return Secrets.matches(token, tokenSha256);
  }

  String job() {
    return group.job();
  }

  Listener listener() {
    return listener;
  }

  /// Asks a worker for its next message: at once, or when the listener has room for reports.
  void ask(Runnable next) {
    synchronized (this) {
      if (!listener.takesReports()) {
        unheard.add(next);
        return;
      }
    }
    next.run();
  }

  /// Asks all workers on that were not asked for want of room.
  void listen() {
    List<Runnable> all;
    synchronized (this) {
      all = List.copyOf(unheard);
      unheard.clear();
    }
    all.forEach(Runnable::run);
  }

  /// Takes a worker in, or says why not.
  ///
  /// @return the worker's number, or empty when it was turned away
  Optional<Integer> attach(Attach attach, StreamObserver<TunerMessage> stream) {
    StreamObserver<TunerMessage> before;
    int worker;
    synchronized (this) {
      worker = isNew(attach) ? freeSeat(attach.getWorker()) : attach.getWorker();
      Optional<Refusal> refusal = refusal(attach, worker);
      if (refusal.isPresent()) {
        reject(stream, refusal.get().code(), refusal.get().message());
        return Optional.empty();
      }
      before = streams[worker];
      if (before != null && !complete) {
        // Maybe another process, whose place was given away.
        listener.detached(worker, "another stream took its place");
      }
      streams[worker] = stream;
      shardAddresses[worker] = attach.getShardAddress();
      // One that still stalls says so again.
      stalls[worker] = null;
      applied[worker] = Math.max(applied[worker], attach.getAppliedSequence());
      stream.onNext(TunerMessage.newBuilder().setWelcome(welcome(worker)).build());
      stream.onNext(control());
      announcePeersOnceComplete();
      for (SequencedCommand command : commands) {
        if (command.sequence() > attach.getAppliedSequence()) {
          stream.onNext(message(command));
        }
      }
      // Inside the lock, as `detached` is: the listener, which only queues, hears both in the order
      // in which they happened.
      listener.attached(worker);
    }
    if (before != null) {
      reject(before, "REPLACED", "worker " + worker + " attached again");
    }
    return Optional.of(worker);
  }

  private record Refusal(String code, String message) {
    static Optional<Refusal> notYet(String message) {
      return Optional.of(new Refusal(ErrorCode.NOT_READY.name(), message));
    }

    static Optional<Refusal> wrongGeneration(String message) {
      return Optional.of(new Refusal("WRONG_GENERATION", message));
    }
  }

  private static boolean isNew(Attach attach) {
    return attach.getGeneration() == 0;
  }

  private Optional<Refusal> refusal(Attach attach, int worker) {
    if (attach.getProtocolVersion() != WireCodec.PROTOCOL_VERSION) {
      return Optional.of(
          new Refusal(
              ErrorCode.VERSION_MISMATCH.name(),
              "protocol version must be "
                  + WireCodec.PROTOCOL_VERSION
                  + " but is "
                  + attach.getProtocolVersion()));
    }
    if (closed) {
      return Refusal.wrongGeneration(
          "the job has no place for workers of generation " + attach.getGeneration());
    }
    return isNew(attach) ? refusalOfNew(attach, worker) : refusalOfKnown(attach, worker);
  }

  /// A generation that has begun elsewhere has workers, even if none of them is back yet.
  private Optional<Refusal> refusalOfNew(Attach attach, int worker) {
    if (attach.getAppliedSequence() > 0) {
      return Refusal.wrongGeneration("a worker that has applied commands must name its generation");
    }
    if (group.begun()) {
      return Refusal.notYet("the job waits for the workers that it had before the server started");
    }
    return worker < group.workers()
        ? Optional.empty()
        : Refusal.notYet("the job has " + group.workers() + " workers and all are there");
  }

  private Optional<Refusal> refusalOfKnown(Attach attach, int worker) {
    if (attach.getGeneration() != group.generation()) {
      return Refusal.wrongGeneration(
          "generation must be " + group.generation() + " but is " + attach.getGeneration());
    }
    if (worker < 0 || worker >= group.workers()) {
      return Refusal.wrongGeneration(
          "worker must be below " + group.workers() + " but is " + worker);
    }
    // Others know the shard of whoever was there when the generation was complete.
    return complete && !shardAddresses[worker].equals(attach.getShardAddress())
        ? Refusal.wrongGeneration("another process is worker " + worker)
        : Optional.empty();
  }

  /// {@return the seat that is wished for if nobody has it, else the first free one}
  private int freeSeat(int wished) {
    if (wished >= 0 && wished < shardAddresses.length && shardAddresses[wished].isEmpty()) {
      return wished;
    }
    for (int worker = 0; worker < shardAddresses.length; worker++) {
      if (shardAddresses[worker].isEmpty()) {
        return worker;
      }
    }
    return shardAddresses.length;
  }

  private Welcome welcome(int worker) {
    return Welcome.newBuilder()
        .setGeneration(group.generation())
        .setWorker(worker)
        .setWorkers(group.workers())
        .setProgram(group.program())
        .putAllArguments(group.arguments())
        .setData(group.data())
        .setSeed(group.seed())
        .setCheckpoints(group.checkpoints())
        .setAcknowledgedReport(acknowledged[worker])
        .setProbeSamples(group.heldOut().samples())
        .setProbeMaxShare(group.heldOut().maxShare())
        .setProbeValidation(group.heldOut().source() == ProbeSource.VALIDATION)
        .setCommunication(WireCodec.encode(group.communication()))
        .setGpuMemoryBytes(group.gpuMemoryBytes())
        .setClockTimeoutSeconds(group.clockTimeoutSeconds())
        .build();
  }

  /// Workers keep the first list they hear, so saying it again does no harm.
  private void announcePeersOnceComplete() {
    if (Arrays.stream(shardAddresses).anyMatch(String::isEmpty)) {
      return;
    }
    complete = true;
    TunerMessage peers =
        TunerMessage.newBuilder()
            .setPeers(Peers.newBuilder().addAllShardAddresses(List.of(shardAddresses)))
            .build();
    Arrays.stream(streams).filter(Objects::nonNull).forEach(stream -> stream.onNext(peers));
  }

  /// Notes that a worker said something. One that only waits says nothing for long; whether its
  /// link is alive is for HTTP/2 to find out.
  synchronized void heard(int worker, Instant when) {
    heard[worker] = when;
  }

  /// Hears that a worker's program does not come back from a call, or that it does again.
  void stalled(int worker, Stall stall) {
    synchronized (this) {
      stalls[worker] = stall.getMessage().isEmpty() ? null : stall.getMessage();
    }
    listener.stalled(worker, stall.getMessage(), stall.getTimedOut());
  }

  synchronized List<WorkerView> view() {
    return IntStream.range(0, streams.length)
        .mapToObj(worker ->
            new WorkerView(worker, streams[worker] != null, heard[worker], stalls[worker]))
        .toList();
  }

  synchronized void send(SequencedCommand command) {
    if (closed) {
      return;
    }
    commands.add(command);
    TunerMessage message = message(command);
    for (StreamObserver<TunerMessage> stream : streams) {
      if (stream != null) {
        stream.onNext(message);
      }
    }
  }

  synchronized void control(boolean nowHeld, boolean nowAlone) {
    held = nowHeld;
    alone = nowAlone;
    TunerMessage message = control();
    Arrays.stream(streams).filter(Objects::nonNull).forEach(stream -> stream.onNext(message));
  }

  private TunerMessage control() {
    return TunerMessage.newBuilder()
        .setControl(Control.newBuilder().setHeld(held).setAlone(alone))
        .build();
  }

  synchronized void acknowledge(int worker, long reportSequence) {
    acknowledged[worker] = Math.max(acknowledged[worker], reportSequence);
    StreamObserver<TunerMessage> stream = streams[worker];
    if (stream != null) {
      stream.onNext(
          TunerMessage.newBuilder()
              .setAcknowledge(Acknowledge.newBuilder().setReportSequence(reportSequence))
              .build());
    }
  }

  /// Forgets commands that every worker has applied.
  synchronized void applied(int worker, long sequence) {
    applied[worker] = Math.max(applied[worker], sequence);
    long everywhere = Arrays.stream(applied).min().orElse(0);
    while (!commands.isEmpty() && commands.getFirst().sequence() <= everywhere) {
      commands.removeFirst();
    }
  }

  /// Hears that a worker's stream is gone; does nothing when a newer one has taken its place.
  void detach(int worker, StreamObserver<TunerMessage> stream, String reason) {
    synchronized (this) {
      if (streams[worker] != stream) {
        return;
      }
      streams[worker] = null;
      if (!complete) {
        // Whoever comes next may sit here: no other worker knows of the one that left.
        shardAddresses[worker] = "";
      }
      listener.detached(worker, reason);
    }
  }

  void close(String reason) {
    end().forEach(stream -> reject(stream, "CLOSED", reason));
  }

  /// Breaks the links: workers try again, and find whoever has their job.
  void abandon() {
    end()
        .forEach(stream ->
            stream.onError(
                Status.UNAVAILABLE
                    .withDescription("another server has the job")
                    .asRuntimeException()));
  }

  private synchronized List<StreamObserver<TunerMessage>> end() {
    closed = true;
    List<StreamObserver<TunerMessage>> open =
        Arrays.stream(streams).filter(Objects::nonNull).toList();
    Arrays.fill(streams, null);
    commands.clear();
    unheard.clear();
    return open;
  }

  private static TunerMessage message(SequencedCommand command) {
    return TunerMessage.newBuilder().setCommand(WireCodec.encode(command)).build();
  }

  static void reject(StreamObserver<TunerMessage> stream, String code, String message) {
    try {
      stream.onNext(
          TunerMessage.newBuilder()
              .setReject(Reject.newBuilder().setCode(code).setMessage(message))
              .build());
      stream.onCompleted();
    } catch (IllegalStateException alreadyClosed) {
      // The stream went away by itself: whoever was behind it needs no answer.
    }
  }
}
