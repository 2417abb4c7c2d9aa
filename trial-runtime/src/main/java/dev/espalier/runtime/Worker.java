package dev.espalier.runtime;

import dev.espalier.api.model.Communication;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.filter.FilterOptions;
import dev.espalier.ps.table.ValueCode;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.branch.BranchExecutor;
import dev.espalier.runtime.branch.CheckpointFolder;
import dev.espalier.runtime.branch.ProgramFailure;
import dev.espalier.runtime.link.TunerLink;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.runtime.link.TunerLink.Inbound;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.runtime.transport.RouteKind;
import dev.espalier.runtime.transport.ShardRoutes;
import dev.espalier.runtime.transport.ShardServer;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TrainingProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One life of a worker: attach, open the program, train until the end.
final class Worker {
  private static final Logger log = LoggerFactory.getLogger(Worker.class);
  private static final Duration VERDICT_PATIENCE = Duration.ofSeconds(30);

  /// Codes of rejections after which it is of no use to come again.
  private static final List<ErrorCode> FINAL =
      List.of(ErrorCode.UNAUTHENTICATED, ErrorCode.NOT_FOUND, ErrorCode.VERSION_MISMATCH);

  /// Codes after which the tuner begins a generation.
  private static final List<ErrorCode> OF_CHECKPOINTS =
      List.of(
          ErrorCode.CHECKPOINT_FAILED,
          ErrorCode.CHECKPOINT_MISSING,
          ErrorCode.CHECKPOINT_UNREADABLE);

  private Worker() {}

  /// How a worker's life ended.
  sealed interface Outcome {
    /// Told to stop: the job has ended.
    record Stopped() implements Outcome {}

    /// Turned away for good.
    record TurnedAway(ErrorCode code, String message) implements Outcome {}

    /// The generation is over; a new one begins.
    ///
    /// @param worker the number that this worker had; -1 when it was told none
    record Restarted(int worker) implements Outcome {}

    /// The program or its input failed.
    record Failed(ErrorCode code, String message) implements Outcome {}

    /// The other workers are gone.
    ///
    /// @param worker the number that this worker had
    record PeersLost(int worker) implements Outcome {}
  }

  /// @param programs from a program's name to the program
  static Outcome run(WorkerConfig config, Function<String, TrainingProgram> programs)
      throws InterruptedException {
    try (ShardServer shards = ShardServer.open(config.address(), config.secret());
        TunerLink link = TunerLink.open(identity(config, shards))) {
      Inbound first = next(link, config);
      return switch (first) {
        case Inbound.Welcomed(Assignment assignment) ->
            work(config, programs, shards, link, assignment);
        case Inbound.TurnedAway(String code, String message) -> turnedAway(code, message);
        case Inbound.PeersKnown _, Inbound.Commanded _ ->
            throw new EspalierException(
                ErrorCode.INVALID_REQUEST, "the tuner's first word was not a welcome");
      };
    } catch (IOException failure) {
      throw new EspalierException(
          ErrorCode.PORT_IN_USE,
          "no port for the shard on " + config.address() + ": " + failure.getMessage(),
          failure);
    }
  }

  private static TunerLink.Identity identity(WorkerConfig config, ShardServer shards) {
    return new TunerLink.Identity(
        config.tuner(),
        config.job(),
        config.secret(),
        config.generation(),
        config.worker(),
        shards.address().toString(),
        config.trusted());
  }

  private static Outcome turnedAway(String code, String message) {
    log.warn("turned away code={} message={}", code, message);
    return FINAL.stream()
        .filter(last -> last.name().equals(code))
        .findFirst()
        .<Outcome>map(last -> new Outcome.TurnedAway(last, message))
        .orElseGet(() -> new Outcome.Restarted(-1));
  }

  private static Outcome work(
      WorkerConfig config,
      Function<String, TrainingProgram> programs,
      ShardServer shards,
      TunerLink link,
      Assignment assignment)
      throws InterruptedException {
    try (var watch =
        new CallWatch(
            CallWatch.Patience.until(assignment.clockTimeout()),
            System::nanoTime,
            new Stalls(link))) {
      watch.start();
      TrainingProgram program;
      try {
        program = new WatchedProgram(programs.apply(assignment.program()), watch);
      } catch (Exception | Error failure) {
        return failed(link, assignment, failure);
      }
      // What failed is told before the program is closed, which may take long.
      Outcome outcome = takePart(config, program, shards, link, assignment);
      close(program);
      return outcome;
    }
  }

  private static void close(TrainingProgram program) {
    try {
      program.close();
    } catch (Exception | Error failure) {
      log.warn("the program could not be closed", failure);
    }
  }

  private static Outcome takePart(
      WorkerConfig config,
      TrainingProgram program,
      ShardServer shards,
      TunerLink link,
      Assignment assignment)
      throws InterruptedException {
    try {
      long start = System.nanoTime();
      ProgramShape shape =
          ProgramFailure.requireReturned(
              assignment.program(), program.open(BranchExecutor.environment(assignment)), "open");
      log.info(
          "program={} samples={} tables={} opened in {} s",
          assignment.program(),
          shape.trainingSamples(),
          shape.tables().size(),
          "%.2f".formatted((System.nanoTime() - start) / 1e9));
      int heldOut = shape.heldOut(assignment.heldOut());
      link.report(
          new WorkerReport.Ready(
              shape.trainingSamples() - heldOut,
              shape.batchSize(assignment.heldOut(), assignment.workers()),
              shape.probeSamples(assignment.heldOut())));
      List<String> peers = awaitPeers(link, config);
      if (peers.isEmpty()) {
        return new Outcome.Restarted(assignment.worker());
      }
      return train(config, program, shape, shards, link, assignment, peers);
    } catch (InterruptedException stop) {
      throw stop;
    } catch (Exception | Error failure) {
      // Checked ones, too, which other languages of the JVM do not declare.
      return failed(link, assignment, failure);
    }
  }

  /// Lets the tuner know of calls that do not come back.
  private record Stalls(TunerLink link) implements CallWatch.Listener {
    @Override
    public void stalls(String what, boolean timedOut) {
      link.stall(what, timedOut);
    }

    @Override
    public void goesOn() {
      link.stall("", false);
    }

    @Override
    public boolean isOver() {
      return link.isTurnedAway();
    }
  }

  /// {@return what the tuner says next}
  private static Inbound next(TunerLink link, WorkerConfig config) throws InterruptedException {
    while (true) {
      Inbound inbound = link.inbox().poll(1, TimeUnit.SECONDS);
      if (inbound != null) {
        return inbound;
      }
      if (link.brokenFor().compareTo(config.maxAlone()) > 0) {
        throw new EspalierException(ErrorCode.WORKERS_LOST, waitedInVain(link, config));
      }
    }
  }

  private static String waitedInVain(TunerLink link, WorkerConfig config) {
    String notYet = link.notYet();
    return (notYet.isEmpty() ? "no tuner at " : "not let in by the tuner at ")
        + config.tuner()
        + " for "
        + WorkerConfig.inWords(config.maxAlone())
        + (notYet.isEmpty() ? "" : ": " + notYet);
  }

  /// {@return the addresses of all shards; empty when the worker was turned away}
  private static List<String> awaitPeers(TunerLink link, WorkerConfig config)
      throws InterruptedException {
    // A server that has just come back may know the next commands before all workers are back.
    var early = new ArrayDeque<Inbound>();
    while (true) {
      switch (next(link, config)) {
        case Inbound.PeersKnown(List<String> addresses) -> {
          early.descendingIterator().forEachRemaining(link.inbox()::addFirst);
          return addresses;
        }
        case Inbound.TurnedAway(String code, String message) -> {
          turnedAway(code, message);
          return List.of();
        }
        case Inbound.Welcomed _ -> {}
        case Inbound.Commanded command -> early.add(command);
      }
    }
  }

  private static Outcome train(
      WorkerConfig config,
      TrainingProgram program,
      ProgramShape shape,
      ShardServer shards,
      TunerLink link,
      Assignment assignment,
      List<String> peers)
      throws InterruptedException {
    try (ParameterServer server =
        PsBackend.openServer(
            assignment.workers(),
            assignment.worker(),
            config.memoryBytes(),
            shape.tables(),
            assignment.gpuMemoryBytes(),
            filters(assignment.communication()))) {
      shards.serve(server.shard());
      try (var transport =
              ShardRoutes.open(
                  assignment.worker(),
                  server.shard(),
                  peers,
                  config.secret(),
                  RouteKind.named(assignment.communication().transport()),
                  assignment.communication().keyCaching());
          var parameters = new PsBackend(server, transport);
          shards) {
        // Whoever waits for a worker whose machine is gone hears nothing from there.
        link.whenTurnedAway(() -> part(shards, transport));
        Path folder =
            assignment.checkpoints().isEmpty()
                ? config.checkpoints()
                : Path.of(assignment.checkpoints());
        var loop =
            new WorkerLoop(
                link,
                program,
                shape,
                assignment,
                parameters,
                new CheckpointFolder(folder, assignment.worker()),
                config.maxAlone());
        return loop.run() ? new Outcome.Stopped() : new Outcome.Restarted(assignment.worker());
      }
    }
  }

  /// Ends the ways between the workers: first those of others to this shard, for an answer to a
  /// machine that is gone may wait until there is room to write it.
  private static void part(ShardServer shards, Transport transport) {
    shards.close();
    transport.close();
  }

  static FilterOptions filters(Communication communication) {
    return new FilterOptions(
        ValueCode.named(communication.updates()),
        communication.significance(),
        communication.pushEvery(),
        communication.fetchEvery(),
        communication.sufficientFactors());
  }

  /// Tells a failure of the program from one of what it calls, in whatever the program wrapped it.
  private static Outcome failed(TunerLink link, Assignment assignment, Throwable failure)
      throws InterruptedException {
    Optional<PsException> fault = Faults.behind(failure);
    if (fault.isPresent()) {
      return lostOrFailed(link, assignment, fault.get());
    }
    if (ProgramFailure.thrown(failure) instanceof EspalierException told) {
      return failed(link, assignment, told.code(), String.valueOf(told.getMessage()), failure);
    }
    String message = ProgramFailure.describe(assignment.program(), failure);
    return failed(link, assignment, ErrorCode.PROGRAM_FAILED, message, failure);
  }

  private static Outcome lostOrFailed(TunerLink link, Assignment assignment, PsException failure)
      throws InterruptedException {
    if (link.isTurnedAway()) {
      return overtaken(assignment, failure);
    }
    if (failure.fault() == PsFault.LINK_LOST || failure.fault() == PsFault.TIMED_OUT) {
      log.warn("another worker is gone: {}", failure.getMessage());
      awaitVerdict(link);
      return new Outcome.PeersLost(assignment.worker());
    }
    ErrorCode code =
        switch (failure.fault()) {
          case OUT_OF_MEMORY_BUDGET -> ErrorCode.OUT_OF_MEMORY_BUDGET;
          case CHECKPOINT_CORRUPT, CHECKPOINT_FAILED -> ErrorCode.CHECKPOINT_FAILED;
          case CHECKPOINT_UNREADABLE -> ErrorCode.CHECKPOINT_UNREADABLE;
          default -> ErrorCode.PROGRAM_FAILED;
        };
    return failed(link, assignment, code, String.valueOf(failure.getMessage()), failure);
  }

  /// The end of the generation ended the ways between the workers, and with them what was going on.
  private static Outcome overtaken(Assignment assignment, Throwable failure) {
    log.info("the generation is over: {}", failure.toString());
    return new Outcome.Restarted(assignment.worker());
  }

  /// Gives the tuner time to notice who is gone and to end this generation.
  private static void awaitVerdict(TunerLink link) throws InterruptedException {
    long deadline = System.nanoTime() + VERDICT_PATIENCE.toNanos();
    while (System.nanoTime() < deadline) {
      Inbound inbound = link.inbox().poll(100, TimeUnit.MILLISECONDS);
      if (inbound instanceof Inbound.TurnedAway) {
        return;
      }
    }
  }

  /// Reports what is the job's fault. That there was no tuner is not: the next one goes on from the
  /// last checkpoint, and must not hear of it. After a checkpoint that is no good the tuner begins
  /// a generation from the one before, or tries it again.
  private static Outcome failed(
      TunerLink link, Assignment assignment, ErrorCode code, String message, Throwable failure)
      throws InterruptedException {
    if (link.isTurnedAway()) {
      return overtaken(assignment, failure);
    }
    log.error("code={} message={}", code, message, failure);
    if (code == ErrorCode.WORKERS_LOST) {
      return new Outcome.Failed(code, message);
    }
    link.report(new WorkerReport.Failed(code, message));
    link.flush(VERDICT_PATIENCE);
    return OF_CHECKPOINTS.contains(code)
        ? new Outcome.Restarted(assignment.worker())
        : new Outcome.Failed(code, message);
  }
}
