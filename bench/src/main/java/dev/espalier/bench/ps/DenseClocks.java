package dev.espalier.bench.ps;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.bench.frame.Rounds;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.WorkerSession;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.ArrayPool;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.util.List;
import java.util.concurrent.ExecutionException;

/// What a clock of a dense table costs a program, from the gradient in its array to the step,
/// beside a copy of the gradient and the shard's step, each alone.
///
/// @param mebibytes size of the table
/// @param rounds how often to measure
record DenseClocks(int mebibytes, Rounds rounds) implements Benchmark {
  private static final int COLUMNS = 256;
  private static final BranchRef PROGRAMS = new BranchRef(0);
  private static final BranchRef SHARDS = new BranchRef(1);

  /// The shard's branch has a clock of its own.
  private static final class Step {
    private long clock;

    ShardCommand.Push next(RowBatch gradient) {
      return new ShardCommand.Push(
          SHARDS, 0, clock++, Staleness.bulkSynchronous(), StepSize.of(1e-3), 1, List.of(gradient));
    }
  }

  @Override
  public String title() {
    return "dense clocks of %d MiB".formatted(mebibytes);
  }

  @Override
  public List<Measurement> measure() throws ExecutionException, InterruptedException {
    int rows = (int) (((long) mebibytes << 20) / COLUMNS / Float.BYTES);
    try (ParameterServer server =
            ParameterServer.open(
                ParameterServerConfig.of(1, 0, 3L * mebibytes << 20),
                List.of(TableSpec.dense("weights", rows, COLUMNS, "sgd")));
        WorkerSession session = server.session()) {
      session.create(PROGRAMS);
      session.create(SHARDS);
      session.select(PROGRAMS, Staleness.bulkSynchronous(), StepSize.of(1e-3));
      float[] gradient = new float[rows * COLUMNS];
      float[] copy = new float[gradient.length];
      var all = new RowSelection.Range(0, rows);
      var step = new Step();
      ArrayPool arrays = server.shard().arrays();
      double[] seconds =
          rounds.medianSeconds(
              1,
              List.of(
                  _ -> {
                    session.add(0, 0, rows, gradient, 0);
                    session.tick(1);
                    session.awaitQuiet();
                  },
                  _ -> System.arraycopy(gradient, 0, copy, 0, copy.length),
                  _ ->
                      server
                          .shard()
                          .submit(step.next(new RowBatch(0, all, arrays.take(copy.length))))
                          .join()));
      return List.of(
          new Measurement(
              "dense clock of %d MiB, from a program's array to the step".formatted(mebibytes),
              seconds[0] * 1e3,
              "ms",
              "a copy of the gradient and a step",
              (seconds[1] + seconds[2]) * 1e3));
    }
  }
}
