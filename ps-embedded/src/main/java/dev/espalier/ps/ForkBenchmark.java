package dev.espalier.ps;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;

/// Measures what a fork costs: the fork, its free, and the first dense clock after it against the
/// others.
///
/// One shard, one dense table with plain gradient steps, called directly, so that nothing but the
/// shard's own work is timed. Prints one line of JSON.
public final class ForkBenchmark {
  private static final int COLUMNS = 1024;
  private static final int DEFAULT_MEBIBYTES = 1024;
  private static final int DEFAULT_REPEATS = 21;
  private static final int CLOCKS_PER_BRANCH = 4;
  private static final BranchRef ROOT = new BranchRef(0);

  private final ParameterServer server;
  private final RowBatch gradient;
  private final List<Double> forkMicros = new ArrayList<>();
  private final List<Double> freeUnwrittenMicros = new ArrayList<>();
  private final List<Double> freeWrittenMicros = new ArrayList<>();
  private final List<Double> firstClockMillis = new ArrayList<>();
  private final List<Double> otherClockMillis = new ArrayList<>();
  private int nextBranch = 1;

  private ForkBenchmark(ParameterServer server, RowBatch gradient) {
    this.server = server;
    this.gradient = gradient;
  }

  /// Runs the benchmark and prints its result.
  ///
  /// @param args size of the table in MiB (default 1024) and number of forks (default 21); the heap
  ///   must hold one array of the table's size, and off-heap memory two
  public static void main(String[] args) {
    int mebibytes = args.length > 0 ? Integer.parseInt(args[0]) : DEFAULT_MEBIBYTES;
    int repeats = args.length > 1 ? Integer.parseInt(args[1]) : DEFAULT_REPEATS;
    System.out.println(run(mebibytes, repeats));
  }

  /// Runs the benchmark.
  ///
  /// @param mebibytes size of the table in MiB, in [1, 2047]
  /// @param repeats number of forks measured, >= 1
  /// @return one line of JSON: medians in microseconds and milliseconds
  public static String run(int mebibytes, int repeats) {
    if (mebibytes < 1 || mebibytes > 2047) {
      throw new IllegalArgumentException("mebibytes must be in [1, 2047] but is " + mebibytes);
    }
    if (repeats < 1) {
      throw new IllegalArgumentException("repeats must be >= 1 but is " + repeats);
    }
    int rows = mebibytes * (1 << 20) / (COLUMNS * Float.BYTES);
    long budgetBytes = (3L * mebibytes + 64) << 20;
    try (ParameterServer server =
        ParameterServer.open(
            ParameterServerConfig.of(1, 0, budgetBytes),
            List.of(TableSpec.dense("weights", rows, COLUMNS, "sgd")))) {
      RowBatch gradient =
          new RowBatch(0, new RowSelection.Range(0, rows), new float[rows * COLUMNS]);
      ForkBenchmark benchmark = new ForkBenchmark(server, gradient);
      benchmark.measure(repeats);
      return benchmark.json(mebibytes);
    }
  }

  private void measure(int repeats) {
    submit(new ShardCommand.Create(ROOT, 0));
    for (int clock = 0; clock < CLOCKS_PER_BRANCH; clock++) {
      clockNanos(ROOT, clock);
    }
    round();
    forkMicros.clear();
    freeUnwrittenMicros.clear();
    freeWrittenMicros.clear();
    firstClockMillis.clear();
    otherClockMillis.clear();
    for (int i = 0; i < repeats; i++) {
      round();
    }
    submit(new ShardCommand.Free(ROOT, 0));
  }

  /// Forks and frees a branch, then forks one, trains it for some clocks and frees it.
  private void round() {
    BranchRef idle = new BranchRef(nextBranch++);
    forkMicros.add(submit(new ShardCommand.Fork(idle, ROOT, 0)) / 1e3);
    freeUnwrittenMicros.add(submit(new ShardCommand.Free(idle, 0)) / 1e3);
    BranchRef trained = new BranchRef(nextBranch++);
    forkMicros.add(submit(new ShardCommand.Fork(trained, ROOT, 0)) / 1e3);
    firstClockMillis.add(clockNanos(trained, 0) / 1e6);
    for (int clock = 1; clock < CLOCKS_PER_BRANCH; clock++) {
      otherClockMillis.add(clockNanos(trained, clock) / 1e6);
    }
    freeWrittenMicros.add(submit(new ShardCommand.Free(trained, 0)) / 1e3);
  }

  private long clockNanos(BranchRef branch, long clock) {
    return submit(
        new ShardCommand.Push(
            branch, 0, clock, Staleness.bulkSynchronous(), StepSize.of(0.1), 1, List.of(gradient)));
  }

  private long submit(ShardCommand command) {
    long start = System.nanoTime();
    ShardReply reply = server.shard().submit(command).join();
    long nanos = System.nanoTime() - start;
    if (reply instanceof ShardReply.Failed failed) {
      throw failed.toException();
    }
    return nanos;
  }

  private String json(int mebibytes) {
    return String.format(
        Locale.ROOT,
        "{\"tableMebibytes\":%d,\"pageKibibytes\":%d,\"kernels\":\"%s\",\"forks\":%d,"
            + "\"forkMicrosMedian\":%.1f,\"forkInStoreMicrosMean\":%.1f,"
            + "\"freeUnwrittenMicrosMedian\":%.1f,\"freeWrittenMicrosMedian\":%.1f,"
            + "\"firstClockMillisMedian\":%.2f,\"otherClockMillisMedian\":%.2f,"
            + "\"pagesInUseAfterFree\":%d}",
        mebibytes,
        server.config().densePageBytes() >> 10,
        RowKernelsProvider.best().name(),
        forkMicros.size(),
        median(forkMicros),
        server.stats().forkNanos() / 1e3 / server.stats().forks(),
        median(freeUnwrittenMicros),
        median(freeWrittenMicros),
        median(firstClockMillis),
        median(otherClockMillis),
        server.stats().pagesInUse());
  }

  private static double median(List<Double> values) {
    double[] sorted = values.stream().flatMapToDouble(DoubleStream::of).sorted().toArray();
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
