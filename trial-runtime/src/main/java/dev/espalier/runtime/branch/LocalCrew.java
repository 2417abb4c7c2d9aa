package dev.espalier.runtime.branch;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Communication;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.shard.ShardStats;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TrainingProgram;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// All workers of one job in this process: real programs, real shards, real branches, no network.
///
/// One worker runs in the caller's thread. Several run in a thread each and take turns, so that the
/// same job gives the same bits at any staleness: see `Turns`. After a command that failed at one
/// of several workers, or whose caller was interrupted, all have been interrupted and the crew is
/// of no more use.
public final class LocalCrew implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LocalCrew.class);
  private static final long REPORT_PATIENCE_SECONDS = 60;
  private static final long LEAVE_PATIENCE_SECONDS = 10;

  private final Assignment assignment;
  private final long memoryBytes;
  private final List<TrainingProgram> programs = new ArrayList<>();
  private final Opened opened = new Opened();
  private final Opened openedByStart = new Opened();
  private final List<ParameterServer> servers = new ArrayList<>();
  private final List<PsBackend> backends = new ArrayList<>();
  private final List<BranchExecutor> executors = new ArrayList<>();
  private final List<BlockingQueue<WorkerReport>> reports = new ArrayList<>();
  private final Turns turns;
  private final ProgramShape shape;
  private final ExecutorService threads;

  /// Opens the programs and their parameters; what was opened is closed again where one fails.
  ///
  /// @param program makes one for each worker, which is opened here and closed with the crew
  /// @param shaping changes what the program says of itself when it is opened
  /// @param assignment that of any worker; its folder of checkpoints is an empty one
  /// @param memoryBytes bound on parameter memory of a worker
  /// @throws EspalierException `INVALID_JOB` for an unknown update rule or constant
  public LocalCrew(
      Supplier<? extends TrainingProgram> program,
      UnaryOperator<ProgramShape> shaping,
      Assignment assignment,
      long memoryBytes) {
    if (assignment.workers() < 1) {
      throw new IllegalArgumentException("workers must be >= 1 but are " + assignment.workers());
    }
    this.assignment = assignment;
    this.memoryBytes = memoryBytes;
    this.turns = new Turns(assignment.workers());
    threads =
        Executors.newFixedThreadPool(
            assignment.workers(), Thread.ofPlatform().name("crew-worker-", 0).factory());
    try {
      for (int worker = 0; worker < assignment.workers(); worker++) {
        TrainingProgram instance = program.get();
        opened.closeBy(instance::close);
        programs.add(instance);
        reports.add(new LinkedBlockingQueue<>());
      }
      shape = shaping.apply(openPrograms());
      start();
    } catch (RuntimeException | Error failure) {
      try (LocalCrew _ = this) {
        throw failure;
      }
    }
  }

  /// {@return what the last one said: all say the same}
  private ProgramShape openPrograms() {
    ProgramShape last = null;
    for (int worker = 0; worker < programs.size(); worker++) {
      last = programs.get(worker).open(BranchExecutor.environment(assignment.of(worker)));
    }
    return Objects.requireNonNull(last);
  }

  /// What a worker of a crew is told.
  ///
  /// @param arguments those that are not the program's defaults, by name
  /// @param data empty for none
  /// @param checkpoints an empty folder
  public static Assignment assignment(
      ProgramDescriptor program,
      Map<String, String> arguments,
      Optional<Path> data,
      int workers,
      long seed,
      HeldOut heldOut,
      Path checkpoints) {
    return new Assignment(
        1,
        0,
        workers,
        program.name(),
        program.argumentsWith(arguments),
        data.map(Path::toString).orElse(""),
        seed,
        checkpoints.toString(),
        heldOut,
        Communication.PLAIN,
        0,
        Duration.ZERO);
  }

  /// {@return what the program said when it was opened}
  public ProgramShape shape() {
    return shape;
  }

  /// {@return samples of an epoch, without those held out}
  public int trainingSamples() {
    return shape.trainingSamples() - shape.heldOut(assignment.heldOut());
  }

  /// {@return samples per worker and clock where a setting names none}
  public int defaultBatchSize() {
    return shape.batchSize(assignment.heldOut(), assignment.workers());
  }

  /// {@return samples to judge branches by, held out of training or of the validation data}
  public int probeSamples() {
    return shape.probeSamples(assignment.heldOut());
  }

  /// Starts afresh, without any branch; checkpoints and opened programs stay.
  public void restart() {
    openedByStart.close();
    start();
  }

  private void start() {
    backends.clear();
    executors.clear();
    servers.clear();
    for (int worker = 0; worker < assignment.workers(); worker++) {
      ParameterServer server =
          PsBackend.openServer(assignment.workers(), worker, memoryBytes, shape.tables());
      openedByStart.closeBy(server::close);
      servers.add(server);
    }
    var transport = Transport.inProcess(servers.stream().map(ParameterServer::shard).toList());
    for (int worker = 0; worker < assignment.workers(); worker++) {
      int number = worker;
      var backend = new PsBackend(servers.get(worker), transport);
      openedByStart.closeBy(backend::close);
      backends.add(backend);
      executors.add(
          new BranchExecutor(
              programs.get(worker),
              shape,
              assignment.of(worker),
              backend,
              new CheckpointFolder(Path.of(assignment.checkpoints()), worker),
              reports.get(worker)::add,
              () -> turns.pass(number)));
    }
  }

  /// Executes a command at all workers.
  ///
  /// @param turnClocks how many clocks a worker runs before the next one's turn: 1 + staleness
  /// @return what each worker reported
  /// @throws InterruptedException when the caller was interrupted: each worker is, too, and ends
  ///   after the clock that it is in
  public List<List<WorkerReport>> execute(BranchCommand command, int turnClocks)
      throws InterruptedException {
    turns.begin(turnClocks);
    if (executors.size() == 1) {
      executors.getFirst().execute(command);
    } else {
      executeTogether(command);
    }
    var all = new ArrayList<List<WorkerReport>>();
    for (BlockingQueue<WorkerReport> queue : reports) {
      var taken = new ArrayList<WorkerReport>();
      if (command instanceof BranchCommand.Checkpoint) {
        WorkerReport durable = queue.poll(REPORT_PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (durable == null) {
          throw new IllegalStateException("no word of " + command);
        }
        taken.add(durable);
      }
      queue.drainTo(taken);
      all.add(taken);
    }
    return all;
  }

  /// {@return what the shard of each worker has done and holds}
  public List<ShardStats> shards() {
    return servers.stream().map(ParameterServer::stats).toList();
  }

  private void executeTogether(BranchCommand command) throws InterruptedException {
    var all = new ArrayList<Callable<?>>();
    for (int worker = 0; worker < executors.size(); worker++) {
      int number = worker;
      all.add(() -> {
        try {
          executors.get(number).execute(command);
        } finally {
          turns.leave(number);
        }
        return command;
      });
    }
    Together.run(all, threads);
  }

  /// {@return what `measurement` gives, which may read the tables of `branch` by name, with all
  /// updates of all workers in}
  public <T> T measure(BranchId branch, Function<Function<String, ParameterTable>, T> measurement) {
    PsBackend first = backends.getFirst();
    return first.measure(branch, () -> measurement.apply(first::table));
  }

  /// Ends the workers and closes their parameters and programs. A worker whose program neither ends
  /// its clock nor heeds its interruption keeps what it uses: its memory is not taken from under
  /// it.
  @Override
  public void close() {
    threads.shutdownNow();
    if (haveLeft()) {
      try (Opened _ = opened;
          Opened _ = openedByStart) {
        executors.clear();
      }
    } else {
      log.warn(
          "workers of {} still run after {} s; what they use stays open",
          assignment.program(),
          LEAVE_PATIENCE_SECONDS);
    }
  }

  /// Whoever was interrupted is still leaving; an interruption of the caller hurries nobody.
  private boolean haveLeft() {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LEAVE_PATIENCE_SECONDS);
    boolean wasInterrupted = false;
    try {
      while (true) {
        try {
          return threads.awaitTermination(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException _) {
          wasInterrupted = true;
        }
      }
    } finally {
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /*
   * Workers that race each other give other bits each time at a staleness above zero. Here worker 0
   * runs 1 + staleness clocks, then worker 1 runs as many, and so on: every read is allowed by the
   * bound, the first worker's reads miss as many clocks of the others as the bound permits, and the
   * order is always the same.
   */
  /// Lets workers run their clocks one after the other.
  private static final class Turns {
    private final int workers;
    private final boolean[] left;
    private int turn;
    private int used;
    private int turnClocks = 1;

    Turns(int workers) {
      this.workers = workers;
      this.left = new boolean[workers];
    }

    synchronized void begin(int clocks) {
      turnClocks = clocks;
      turn = 0;
      used = 0;
      Arrays.fill(left, false);
    }

    synchronized void pass(int worker) throws InterruptedException {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      if (workers == 1) {
        return;
      }
      if (turn == worker && used == turnClocks) {
        next();
      }
      while (turn != worker) {
        wait();
      }
      used++;
    }

    synchronized void leave(int worker) {
      left[worker] = true;
      if (turn == worker) {
        next();
      }
    }

    private void next() {
      for (int i = 0; i < workers; i++) {
        turn = (turn + 1) % workers;
        if (!left[turn]) {
          break;
        }
      }
      used = 0;
      notifyAll();
    }
  }
}
