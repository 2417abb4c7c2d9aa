package dev.espalier.runtime.branch;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TrainingProgram;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/// All workers of one job in this process: real programs, real shards, real branches, no network.
///
/// One worker runs in the caller's thread. Several run in a thread each and take turns, so that the
/// same job gives the same bits at any staleness: see `Turns`. After a command that failed at one
/// of several workers, the others have been interrupted and the crew is of no more use.
public final class LocalCrew implements AutoCloseable {
  private static final long REPORT_PATIENCE_SECONDS = 60;
  private static final long LEAVE_PATIENCE_SECONDS = 10;

  private final Assignment assignment;
  private final long memoryBytes;
  private final List<TrainingProgram> programs = new ArrayList<>();
  private final List<PsBackend> backends = new ArrayList<>();
  private final List<BranchExecutor> executors = new ArrayList<>();
  private final List<BlockingQueue<WorkerReport>> reports = new ArrayList<>();
  private final Turns turns;
  private final ProgramShape shape;
  private final ExecutorService threads;

  /// @param program makes one for each worker, which is opened here and closed with the crew
  /// @param shaping changes what the program says of itself when it is opened
  /// @param assignment that of any worker; its folder of checkpoints is an empty one
  /// @param memoryBytes bound on parameter memory of a worker
  public LocalCrew(
      Supplier<? extends TrainingProgram> program,
      UnaryOperator<ProgramShape> shaping,
      Assignment assignment,
      long memoryBytes) {
    this.assignment = assignment;
    this.memoryBytes = memoryBytes;
    this.turns = new Turns(assignment.workers());
    ProgramShape opened = null;
    for (int worker = 0; worker < assignment.workers(); worker++) {
      TrainingProgram instance = program.get();
      programs.add(instance);
      opened = instance.open(BranchExecutor.environment(assignment.of(worker)));
      reports.add(new LinkedBlockingQueue<>());
    }
    if (opened == null) {
      throw new IllegalArgumentException("workers must be >= 1 but are " + assignment.workers());
    }
    shape = shaping.apply(opened);
    threads = Executors.newFixedThreadPool(assignment.workers());
    start();
  }

  /// {@return what the program said when it was opened}
  public ProgramShape shape() {
    return shape;
  }

  /// {@return samples of an epoch, without those held out}
  public int trainingSamples() {
    return shape.trainingSamples() - probeSamples();
  }

  /// {@return samples held out of training}
  public int probeSamples() {
    return assignment.heldOut().of(shape.trainingSamples());
  }

  /// Starts afresh, without any branch; checkpoints and opened programs stay.
  public void restart() {
    backends.forEach(PsBackend::close);
    backends.clear();
    executors.clear();
    start();
  }

  private void start() {
    var servers = new ArrayList<ParameterServer>();
    for (int worker = 0; worker < assignment.workers(); worker++) {
      servers.add(PsBackend.openServer(assignment.workers(), worker, memoryBytes, shape.tables()));
    }
    var transport = Transport.inProcess(servers.stream().map(ParameterServer::shard).toList());
    for (int worker = 0; worker < assignment.workers(); worker++) {
      int number = worker;
      var backend = new PsBackend(servers.get(worker), transport);
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

  private void executeTogether(BranchCommand command) {
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

  @Override
  public void close() {
    threads.shutdownNow();
    try {
      // Whoever was interrupted is still leaving.
      var _ = threads.awaitTermination(LEAVE_PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
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
      Arrays.fill(left, false);
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
