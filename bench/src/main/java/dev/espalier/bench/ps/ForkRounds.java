package dev.espalier.bench.ps;

import dev.espalier.bench.frame.Rate;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.List;

/// Forks a branch of a large dense table again and again, and writes every page of what it forked.
///
/// One shard, one dense table, called directly, so that nothing but the shard's own work is timed.
final class ForkRounds {
  private static final int COLUMNS = 1024;
  private static final BranchRef ROOT = new BranchRef(0);

  /// Medians.
  ///
  /// @param forkMicros of a fork
  /// @param freeUnwrittenMicros of the free of a branch that wrote nothing
  /// @param freeWrittenMicros of the free of a branch that wrote every page
  record Medians(double forkMicros, double freeUnwrittenMicros, double freeWrittenMicros) {}

  private final ParameterServer server;
  private final RowBatch gradient;
  private final List<Double> forkMicros = new ArrayList<>();
  private final List<Double> freeUnwrittenMicros = new ArrayList<>();
  private final List<Double> freeWrittenMicros = new ArrayList<>();
  private int nextBranch = 1;

  private ForkRounds(ParameterServer server, RowBatch gradient) {
    this.server = server;
    this.gradient = gradient;
  }

  /// Measures.
  ///
  /// @param mebibytes size of the table; the heap must hold one array of that size
  /// @param repeats number of rounds
  static Medians measure(int mebibytes, int repeats) {
    int rows = mebibytes * (1 << 20) / (COLUMNS * Float.BYTES);
    TableSpec spec = TableSpec.dense("weights", rows, COLUMNS, "sgd");
    long budgetBytes = (2L * mebibytes + 64) << 20;
    try (ParameterServer server =
        ParameterServer.open(ParameterServerConfig.of(1, 0, budgetBytes), List.of(spec))) {
      RowBatch gradient =
          new RowBatch(0, new RowSelection.Range(0, rows), new float[rows * COLUMNS]);
      return new ForkRounds(server, gradient).measure(repeats);
    }
  }

  private Medians measure(int repeats) {
    submit(new ShardCommand.Create(ROOT, 0));
    train(ROOT);
    round();
    List.of(forkMicros, freeUnwrittenMicros, freeWrittenMicros).forEach(List::clear);
    for (int i = 0; i < repeats; i++) {
      round();
    }
    submit(new ShardCommand.Free(ROOT, 0));
    return new Medians(median(forkMicros), median(freeUnwrittenMicros), median(freeWrittenMicros));
  }

  /// Forks and frees a branch, then forks one, trains it for a clock and frees it.
  private void round() {
    BranchRef idle = new BranchRef(nextBranch++);
    forkMicros.add(submit(new ShardCommand.Fork(idle, ROOT, 0)) / 1e3);
    freeUnwrittenMicros.add(submit(new ShardCommand.Free(idle, 0)) / 1e3);
    BranchRef trained = new BranchRef(nextBranch++);
    forkMicros.add(submit(new ShardCommand.Fork(trained, ROOT, 0)) / 1e3);
    train(trained);
    freeWrittenMicros.add(submit(new ShardCommand.Free(trained, 0)) / 1e3);
  }

  private void train(BranchRef branch) {
    submit(
        new ShardCommand.Push(
            branch, 0, 0, Staleness.bulkSynchronous(), StepSize.of(0.1), 1, List.of(gradient)));
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

  private static double median(List<Double> values) {
    return Rate.median(values.stream().mapToDouble(Double::doubleValue));
  }
}
