package dev.espalier.runtime;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Communication;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.ProbeSource;
import dev.espalier.api.model.SequencedCommand;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.api.wire.WireCodec;
import dev.espalier.api.wire.v1.Acknowledge;
import dev.espalier.api.wire.v1.Attach;
import dev.espalier.api.wire.v1.Peers;
import dev.espalier.api.wire.v1.Reject;
import dev.espalier.api.wire.v1.Report;
import dev.espalier.api.wire.v1.TunerMessage;
import dev.espalier.api.wire.v1.Welcome;
import dev.espalier.api.wire.v1.WorkerMessage;
import dev.espalier.api.wire.v1.WorkerServiceGrpc;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/// A tuner that says what a test tells it to, keeps a log of all reports, and checks their numbers.
///
/// A report that repeats one in the log must equal it; one that leaves a gap is a mistake.
final class ScriptedTuner implements AutoCloseable {
  static final String JOB = "job_1";
  static final long SEED = 20_26;

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final int workers;
  private final Path checkpoints;
  private final List<SequencedCommand> commands = new ArrayList<>();
  private final List<Seat> seats = new ArrayList<>();
  private final List<String> mistakes = new ArrayList<>();
  private Server server;
  private final int port;
  private int generation = 1;
  private boolean announced;
  private boolean acknowledging = true;
  private String refusal = "";
  private int refusals;
  private final List<Integer> wishes = new ArrayList<>();
  private HeldOut heldOut = HeldOut.NOTHING;
  private Communication communication = Communication.PLAIN;
  private String program = "exact";
  private Predicate<WorkerReport> cutAt = _ -> false;

  /// @param checkpoints folder of the job's checkpoints
  ScriptedTuner(int workers, Path checkpoints) throws IOException {
    this.workers = workers;
    this.checkpoints = checkpoints;
    this.server = serve(0);
    this.port = server.getPort();
    emptySeats();
  }

  /// What the tuner knows of one worker.
  private static final class Seat {
    private final List<WorkerReport> log = new ArrayList<>();
    private final List<Long> attachedWith = new ArrayList<>();
    private String shardAddress = "";
    private StreamObserver<TunerMessage> stream;
    private int repeats;
    private int unheard;

    private boolean isFree() {
      return shardAddress.isEmpty();
    }
  }

  private Server serve(int atPort) throws IOException {
    return NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", atPort))
        .permitKeepAliveTime(1, TimeUnit.SECONDS)
        .addService(
            new WorkerServiceGrpc.WorkerServiceImplBase() {
              @Override
              public StreamObserver<WorkerMessage> session(StreamObserver<TunerMessage> out) {
                return new Talk(out);
              }
            })
        .build()
        .start();
  }

  private void emptySeats() {
    seats.clear();
    for (int worker = 0; worker < workers; worker++) {
      seats.add(new Seat());
    }
  }

  /// Lets workers that come from now on hold samples out of training.
  synchronized void holdOut(HeldOut samples) {
    heldOut = samples;
  }

  String address() {
    return "127.0.0.1:" + port;
  }

  int workers() {
    return workers;
  }

  /// Appends to the commands; workers that are attached hear it at once.
  synchronized void say(BranchCommand command) {
    var sequenced = new SequencedCommand(commands.size() + 1, command);
    commands.add(sequenced);
    if (announced) {
      seats.forEach(seat -> send(seat, message(sequenced)));
    }
  }

  /// Neither acknowledges reports nor says at a welcome which are in the log.
  synchronized void acknowledgeNothing() {
    acknowledging = false;
  }

  /// Acknowledges what is in the log, now and from now on.
  synchronized void acknowledge() {
    acknowledging = true;
    seats.forEach(this::acknowledge);
  }

  private void acknowledge(Seat seat) {
    send(
        seat,
        TunerMessage.newBuilder()
            .setAcknowledge(Acknowledge.newBuilder().setReportSequence(seat.log.size()))
            .build());
  }

  /// Turns every worker away that attaches from now on; an empty code lets them in.
  synchronized void refuse(String code) {
    refusal = code;
  }

  /// {@return how many workers have been turned away by [#refuse]}
  synchronized int refusals() {
    return refusals;
  }

  /// {@return the numbers that workers of no generation asked for, -1 for any}
  synchronized List<Integer> wishes() {
    return List.copyOf(wishes);
  }

  /// Loses the next report like this and all links with it.
  synchronized void cutAt(Predicate<WorkerReport> report) {
    cutAt = report;
  }

  /// Closes the port, and the links with it.
  void leave() throws InterruptedException {
    synchronized (this) {
      seats.forEach(seat -> seat.stream = null);
    }
    server.shutdownNow();
    server.awaitTermination(10, TimeUnit.SECONDS);
  }

  void comeBack() throws IOException {
    server = serve(port);
  }

  /// Ends this generation of workers: its commands and reports are forgotten.
  synchronized void startNextGeneration() {
    var open = seats.stream().map(seat -> seat.stream).toList();
    generation++;
    announced = false;
    commands.clear();
    emptySeats();
    open.forEach(stream -> reject(stream, "WRONG_GENERATION"));
  }

  /// Says which program workers that attach from now on train; `exact` if nothing was said.
  synchronized void train(String name) {
    program = name;
  }

  /// Says how workers that attach from now on exchange parameters.
  synchronized void communicate(Communication how) {
    communication = how;
  }

  /// {@return training losses of a worker's clocks of a branch, from clock 0}
  synchronized List<Double> losses(int worker, BranchId branch) {
    var losses = new ArrayList<Double>();
    for (WorkerReport report : seats.get(worker).log) {
      if (report instanceof WorkerReport.Progressed part && part.branch().equals(branch)) {
        if (part.fromClock() != losses.size()) {
          throw new AssertionError(
              "worker %d, %s: clock %d follows %d clocks"
                  .formatted(worker, branch, part.fromClock(), losses.size()));
        }
        losses.addAll(part.lossSums());
      }
    }
    return losses;
  }

  /// {@return what a worker measured; empty when it has not said so}
  synchronized Map<String, Double> evaluation(int worker, long evaluation) {
    return seats.get(worker).log.stream()
        .filter(WorkerReport.Evaluated.class::isInstance)
        .map(WorkerReport.Evaluated.class::cast)
        .filter(part -> part.evaluation() == evaluation)
        .map(WorkerReport.Evaluated::metrics)
        .findFirst()
        .orElse(Map.of());
  }

  /// {@return the losses of the blocks that a worker probed; empty when it has not said so}
  List<Double> probe(int worker, long evaluation) {
    return evaluated(worker, evaluation).map(WorkerReport.Evaluated::losses).orElse(List.of());
  }

  synchronized Optional<WorkerReport.Evaluated> evaluated(int worker, long evaluation) {
    return seats.get(worker).log.stream()
        .filter(WorkerReport.Evaluated.class::isInstance)
        .map(WorkerReport.Evaluated.class::cast)
        .filter(part -> part.evaluation() == evaluation)
        .findFirst();
  }

  synchronized List<WorkerReport> reports(int worker) {
    return List.copyOf(seats.get(worker).log);
  }

  /// {@return the numbers of the last known command, one for each time that a worker attached}
  synchronized List<Long> attachedWith(int worker) {
    return List.copyOf(seats.get(worker).attachedWith);
  }

  /// {@return how many reports came that were in the log already}
  synchronized int repeats(int worker) {
    return seats.get(worker).repeats;
  }

  /// {@return how many reports were lost on the way}
  synchronized int unheard() {
    return seats.stream().mapToInt(seat -> seat.unheard).sum();
  }

  void awaitEvaluation(long evaluation) throws InterruptedException {
    await("evaluation " + evaluation, worker -> !evaluation(worker, evaluation).isEmpty());
  }

  void awaitCheckpoint(long checkpoint) throws InterruptedException {
    await(
        "checkpoint " + checkpoint,
        worker ->
            reports(worker).stream()
                .anyMatch(report ->
                    report instanceof WorkerReport.CheckpointWritten written
                        && written.checkpoint() == checkpoint));
  }

  private void await(String what, Predicate<Integer> of) throws InterruptedException {
    await(
        what,
        () -> {
          for (int worker = 0; worker < workers; worker++) {
            if (!of.test(worker)) {
              return false;
            }
          }
          return true;
        });
  }

  /// Waits for a condition, and fails as soon as a worker has failed.
  synchronized void await(String what, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      Set<WorkerReport> failures = new HashSet<>();
      seats.forEach(seat ->
          seat.log.stream()
              .filter(report ->
                  report instanceof WorkerReport.Failed
                      || report instanceof WorkerReport.CheckpointFailed)
              .forEach(failures::add));
      if (!failures.isEmpty() || !mistakes.isEmpty() || System.nanoTime() > deadline) {
        throw new AssertionError(
            "waited for %s; failures %s, mistakes %s, logs %s"
                .formatted(
                    what, failures, mistakes, seats.stream().map(seat -> seat.log).toList()));
      }
      wait(100);
    }
  }

  private static TunerMessage message(SequencedCommand command) {
    return TunerMessage.newBuilder().setCommand(WireCodec.encode(command)).build();
  }

  private static void send(Seat seat, TunerMessage message) {
    if (seat.stream != null) {
      send(seat.stream, message);
    }
  }

  private static void send(StreamObserver<TunerMessage> stream, TunerMessage message) {
    try {
      stream.onNext(message);
    } catch (IllegalStateException | io.grpc.StatusRuntimeException gone) {
      // The worker attaches again and gets it then.
    }
  }

  private static void reject(StreamObserver<TunerMessage> stream, String code) {
    if (stream != null) {
      send(
          stream,
          TunerMessage.newBuilder()
              .setReject(Reject.newBuilder().setCode(code).setMessage("as scripted"))
              .build());
      stream.onCompleted();
    }
  }

  private void cut() {
    for (Seat seat : seats) {
      if (seat.stream != null) {
        seat.stream.onError(Status.UNAVAILABLE.withDescription("cut").asRuntimeException());
        seat.stream = null;
      }
    }
  }

  @Override
  public void close() {
    server.shutdownNow();
    synchronized (this) {
      if (!mistakes.isEmpty()) {
        throw new AssertionError("workers made mistakes: " + mistakes);
      }
    }
  }

  /// One stream of one worker.
  private final class Talk implements StreamObserver<WorkerMessage> {
    private final StreamObserver<TunerMessage> out;
    private Seat seat;

    private Talk(StreamObserver<TunerMessage> out) {
      this.out = out;
    }

    @Override
    public void onNext(WorkerMessage message) {
      synchronized (ScriptedTuner.this) {
        if (message.hasAttach()) {
          attach(message.getAttach());
        } else if (message.hasReport() && seat != null) {
          hear(message.getReport());
        }
        ScriptedTuner.this.notifyAll();
      }
    }

    private void attach(Attach attach) {
      int worker = attach.getWorker() >= 0 ? attach.getWorker() : firstFree();
      if (!refusal.isEmpty()) {
        refusals++;
        reject(out, refusal);
        return;
      }
      if (worker >= workers
          || (attach.getGeneration() != 0 && attach.getGeneration() != generation)) {
        reject(out, "WRONG_GENERATION");
        return;
      }
      if (attach.getGeneration() == 0) {
        wishes.add(attach.getWorker());
      }
      seat = seats.get(worker);
      seat.stream = out;
      seat.shardAddress = attach.getShardAddress();
      seat.attachedWith.add(attach.getAppliedSequence());
      send(
          seat,
          TunerMessage.newBuilder()
              .setWelcome(
                  Welcome.newBuilder()
                      .setGeneration(generation)
                      .setWorker(worker)
                      .setWorkers(workers)
                      .setProgram(program)
                      .setSeed(SEED)
                      .setCheckpoints(checkpoints.toString())
                      .setCommunication(WireCodec.encode(communication))
                      .setProbeSamples(heldOut.samples())
                      .setProbeMaxShare(heldOut.maxShare())
                      .setProbeValidation(heldOut.source() == ProbeSource.VALIDATION)
                      .setAcknowledgedReport(acknowledging ? seat.log.size() : 0))
              .build());
      if (announced) {
        send(seat, peers());
        commands.stream()
            .filter(command -> command.sequence() > attach.getAppliedSequence())
            .forEach(command -> send(seat, message(command)));
      } else if (seats.stream().noneMatch(Seat::isFree)) {
        announced = true;
        for (Seat each : seats) {
          send(each, peers());
          commands.forEach(command -> send(each, message(command)));
        }
      }
    }

    private int firstFree() {
      int worker = 0;
      while (worker < workers && !seats.get(worker).isFree()) {
        worker++;
      }
      return worker;
    }

    private TunerMessage peers() {
      return TunerMessage.newBuilder()
          .setPeers(
              Peers.newBuilder()
                  .addAllShardAddresses(seats.stream().map(each -> each.shardAddress).toList()))
          .build();
    }

    private void hear(Report wire) {
      WorkerReport report = WireCodec.decode(wire);
      if (seat.stream != out) {
        seat.unheard++;
        return;
      }
      if (cutAt.test(report)) {
        seat.unheard++;
        cutAt = _ -> false;
        cut();
        return;
      }
      int next = seat.log.size() + 1;
      if (wire.getSequence() == next) {
        seat.log.add(report);
      } else if (wire.getSequence() > next) {
        mistakes.add("report " + wire.getSequence() + " came when " + next + " was due");
      } else {
        seat.repeats++;
        WorkerReport before = seat.log.get((int) wire.getSequence() - 1);
        if (!before.equals(report)) {
          mistakes.add("report " + wire.getSequence() + " was " + before + " and now " + report);
        }
      }
      if (acknowledging) {
        acknowledge(seat);
      }
    }

    @Override
    public void onError(Throwable failure) {
      gone();
    }

    @Override
    public void onCompleted() {
      gone();
    }

    private void gone() {
      synchronized (ScriptedTuner.this) {
        if (seat != null && seat.stream == out) {
          seat.stream = null;
        }
      }
    }
  }
}
