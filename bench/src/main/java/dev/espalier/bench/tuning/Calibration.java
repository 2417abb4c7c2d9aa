package dev.espalier.bench.tuning;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.ProbeSource;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.bench.frame.ScratchFolder;
import dev.espalier.runtime.branch.LocalCrew;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/// Measures what the work of a workload costs on this machine.
///
/// Processor time of one thread, so that other work on the machine does not count. Clocks are
/// measured at the smallest and the largest batch size of the space, in alternation, and each time
/// is the median of its repeats; the two points give the line of the cost model. The cost of
/// waiting for other workers cannot be had from one thread: it is taken as one fork's, which is a
/// round trip to every shard.
final class Calibration {
  private static final double WARM_UP_SECONDS = 1.5;
  private static final double PIECE_SECONDS = 0.05;
  private static final int REPEATS = 9;
  private static final double HARMLESS_RATE = 1e-6;
  private static final HeldOut PROBED = new HeldOut(1024, 0.5, ProbeSource.VALIDATION);

  private final Workload workload;
  private final LocalCrew crew;
  private int branches;

  private Calibration(Workload workload, LocalCrew crew) {
    this.workload = workload;
    this.crew = crew;
  }

  static CostModel measure(Workload workload) throws InterruptedException {
    Workload alone = workload.withWorkers(1);
    try (var folder = new ScratchFolder();
        var crew = alone.crew(1, PROBED, folder.path())) {
      return new Calibration(alone, crew).measured(workload.workers());
    }
  }

  private CostModel measured(int workers) throws InterruptedException {
    Setting base = workload.carefulSetting().with(Tunable.LEARNING_RATE, HARMLESS_RATE);
    BranchId root = nextBranch();
    crew.execute(new BranchCommand.Create(root, base), 1);
    double[] batches = batchSizes();
    var small = new Clocks(fork(root, base.with(Tunable.BATCH_SIZE, batches[0])));
    var large = new Clocks(fork(root, base.with(Tunable.BATCH_SIZE, batches[1])));
    small.warmUp();
    large.warmUp();
    var smallSeconds = new ArrayList<Double>();
    var largeSeconds = new ArrayList<Double>();
    var evaluated = new ArrayList<Double>();
    var probed = new ArrayList<Double>();
    var forked = new ArrayList<Double>();
    for (int repeat = 0; repeat < REPEATS; repeat++) {
      smallSeconds.add(small.secondsPerClock());
      largeSeconds.add(large.secondsPerClock());
      evaluated.add(secondsPerSample(new BranchCommand.Evaluate(root, 1)));
      probed.add(secondsPerSample(new BranchCommand.Probe(root, 1, PROBED.samples())));
      forked.add(forkSeconds(root, base));
    }
    double perSample =
        Math.max(
            0,
            (Quantiles.median(largeSeconds) - Quantiles.median(smallSeconds))
                / (batches[1] - batches[0]));
    double perClock = Math.max(0, Quantiles.median(smallSeconds) - perSample * batches[0]);
    double fork = Quantiles.median(forked);
    return new CostModel(
        perClock,
        perSample,
        workers > 1 ? fork : 0,
        Quantiles.median(evaluated),
        Quantiles.median(probed),
        fork);
  }

  private double[] batchSizes() {
    Tunable batch =
        workload.space().tunables().stream()
            .filter(tunable -> tunable.name().equals(Tunable.BATCH_SIZE))
            .findFirst()
            .orElseThrow(() ->
                new IllegalArgumentException(workload.program() + " has no batchSize to tune"));
    double most = crew.trainingSamples();
    return new double[] {Math.min(most / 2, batch.fromUnit(0)), Math.min(most, batch.fromUnit(1))};
  }

  private BranchId nextBranch() {
    return new BranchId(branches++);
  }

  private BranchId fork(BranchId parent, Setting setting) throws InterruptedException {
    BranchId branch = nextBranch();
    crew.execute(new BranchCommand.Fork(branch, parent, BranchKind.TRIAL, setting), 1);
    return branch;
  }

  /// The first clock of a fork copies the pages that it writes, so it is part of the cost.
  private double forkSeconds(BranchId root, Setting setting) throws InterruptedException {
    long start = cpuNanos();
    BranchId branch = fork(root, setting);
    double seconds = secondsSince(start);
    crew.execute(new BranchCommand.Free(branch), 1);
    return seconds;
  }

  private double secondsPerSample(BranchCommand measuring) throws InterruptedException {
    long start = cpuNanos();
    List<List<WorkerReport>> reports = crew.execute(measuring, 1);
    double seconds = secondsSince(start);
    long samples =
        reports.getFirst().getFirst() instanceof WorkerReport.Evaluated evaluated
            ? evaluated.samples()
            : 0;
    return seconds / Math.max(1, samples);
  }

  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static double secondsSince(long start) {
    return (cpuNanos() - start) / 1e9;
  }

  /// The clocks of one branch.
  private final class Clocks {
    private final BranchId branch;
    private long done;
    private long piece = 1;

    Clocks(BranchId branch) {
      this.branch = branch;
    }

    void warmUp() throws InterruptedException {
      long start = cpuNanos();
      while (secondsSince(start) < WARM_UP_SECONDS) {
        double each = secondsPerClock();
        piece = Math.max(1, (long) (PIECE_SECONDS / Math.max(each, 1e-9)));
      }
    }

    double secondsPerClock() throws InterruptedException {
      long start = cpuNanos();
      done += piece;
      crew.execute(new BranchCommand.Schedule(branch, done, done), 1);
      return secondsSince(start) / piece;
    }
  }
}
