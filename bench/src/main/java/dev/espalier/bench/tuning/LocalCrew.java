package dev.espalier.bench.tuning;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.Communication;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.BranchExecutor;
import dev.espalier.runtime.CheckpointFolder;
import dev.espalier.runtime.ProgramCatalog;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TrainingProgram;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// All workers of one job in this process: real programs, real shards, real branches, no network.
///
/// One worker runs in the caller's thread. Several run in a thread each and take turns, so that the
/// same job gives the same bits at any staleness: see `Turns`.
final class LocalCrew implements AutoCloseable {
  private static final long MEMORY_BYTES = 1L << 30;
  private static final long REPORT_PATIENCE_SECONDS = 60;

  private final Workload workload;
  private final long seed;
  private final HeldOut heldOut;
  private final Path checkpoints;
  private final List<TrainingProgram> programs = new ArrayList<>();
  private final List<PsBackend> backends = new ArrayList<>();
  private final List<BranchExecutor> executors = new ArrayList<>();
  private final List<BlockingQueue<WorkerReport>> reports = new ArrayList<>();
  private final Turns turns;
  private final ProgramShape shape;
  private final ExecutorService threads;

  /// @param heldOut training samples that branches are judged by
  /// @param checkpoints an empty folder
  LocalCrew(Workload workload, long seed, HeldOut heldOut, Path checkpoints) {
    this.workload = workload;
    this.seed = seed;
    this.heldOut = heldOut;
    this.checkpoints = checkpoints;
    this.turns = new Turns(workload.workers());
    ProgramShape opened = null;
    for (int worker = 0; worker < workload.workers(); worker++) {
      TrainingProgram program = ProgramCatalog.named(workload.program());
      programs.add(program);
      opened = program.open(workload.environment(worker, seed));
      reports.add(new LinkedBlockingQueue<>());
    }
    if (opened == null) {
      throw new IllegalArgumentException("workers must be >= 1 but are " + workload.workers());
    }
    shape = limited(opened, workload.trainingSamples());
    threads = Executors.newFixedThreadPool(workload.workers());
    start();
  }

  private static ProgramShape limited(ProgramShape shape, int trainingSamples) {
    return trainingSamples == 0 || trainingSamples >= shape.trainingSamples()
        ? shape
        : shape.withTrainingSamples(trainingSamples);
  }

  /// {@return samples of an epoch, without those held out}
  int trainingSamples() {
    return shape.trainingSamples() - probeSamples();
  }

  int probeSamples() {
    return heldOut.of(shape.trainingSamples());
  }

  int defaultBatchSize() {
    return shape.defaultBatchSize();
  }

  /// Starts afresh, without any branch; checkpoints stay.
  void restart() {
    backends.forEach(PsBackend::close);
    backends.clear();
    executors.clear();
    start();
  }

  private void start() {
    var servers = new ArrayList<ParameterServer>();
    for (int worker = 0; worker < workload.workers(); worker++) {
      servers.add(PsBackend.openServer(workload.workers(), worker, MEMORY_BYTES, shape.tables()));
    }
    var transport = Transport.inProcess(servers.stream().map(ParameterServer::shard).toList());
    for (int worker = 0; worker < workload.workers(); worker++) {
      int number = worker;
      var backend = new PsBackend(servers.get(worker), transport);
      backends.add(backend);
      executors.add(
          new BranchExecutor(
              programs.get(worker),
              shape,
              assignment(worker),
              backend,
              new CheckpointFolder(checkpoints, worker),
              reports.get(worker)::add,
              () -> turns.pass(number)));
    }
  }

  private Assignment assignment(int worker) {
    return new Assignment(
        1,
        worker,
        workload.workers(),
        workload.program(),
        workload.arguments(),
        workload.data().map(Path::toString).orElse(""),
        seed,
        checkpoints.toString(),
        heldOut,
        Communication.PLAIN,
        0);
  }

  /// Executes a command at all workers.
  ///
  /// @param turnClocks how many clocks a worker runs before the next one's turn: 1 + staleness
  /// @return what each worker reported
  List<List<WorkerReport>> execute(BranchCommand command, int turnClocks)
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

  private void executeTogether(BranchCommand command) throws InterruptedException {
    var running = new ArrayList<Future<?>>();
    for (int worker = 0; worker < executors.size(); worker++) {
      int number = worker;
      Callable<Boolean> work =
          () -> {
            try {
              executors.get(number).execute(command);
            } finally {
              turns.leave(number);
            }
            return true;
          };
      running.add(threads.submit(work));
    }
    for (Future<?> each : running) {
      try {
        each.get();
      } catch (ExecutionException failure) {
        throw failure.getCause() instanceof RuntimeException cause
            ? cause
            : new IllegalStateException(failure.getCause());
      }
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
    backends.forEach(PsBackend::close);
    programs.forEach(TrainingProgram::close);
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
      java.util.Arrays.fill(left, false);
    }

    synchronized void pass(int worker) throws InterruptedException {
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
