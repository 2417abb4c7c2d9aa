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
import dev.espalier.ps.plan.PlanOptions;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.util.List;
import java.util.concurrent.ExecutionException;

/// What a clock of a dense table costs a program that follows a plan, beside copies on one core and
/// the shard's step, each alone: one that adds a gradient from an array, and one that reads all
/// parameters into an array first.
///
/// @param mebibytes size of the table
/// @param rounds how often to measure
record DenseClocks(int mebibytes, Rounds rounds) implements Benchmark {
  private static final int COLUMNS = 256;
  private static final BranchRef BRANCH = new BranchRef(0);

  @Override
  public String title() {
    return "dense clocks of %d MiB".formatted(mebibytes);
  }

  @Override
  public List<Measurement> measure() throws ExecutionException, InterruptedException {
    float[] gradient = new float[mebibytes << 18];
    float[] copy = new float[gradient.length];
    try (var adding = new Side();
        var reading = new Side();
        var shard = new Side()) {
      double[] seconds =
          rounds.medianSeconds(
              1,
              List.of(
                  _ -> adding.clock(gradient),
                  _ -> {
                    reading.session.read(0, 0, reading.rows, copy, 0);
                    reading.clock(gradient);
                  },
                  _ -> System.arraycopy(gradient, 0, copy, 0, copy.length),
                  _ -> shard.step()));
      return List.of(
          measurement(
              "from a program's array to the step", seconds[0], "a copy", seconds[2] + seconds[3]),
          measurement(
              "after a read of all parameters",
              seconds[1],
              "two copies",
              2 * seconds[2] + seconds[3]));
    }
  }

  private Measurement measurement(String what, double seconds, String copies, double peer) {
    return new Measurement(
        "dense clock of %d MiB, %s".formatted(mebibytes, what),
        seconds * 1e3,
        "ms",
        copies + " of as much on one core, and a step",
        peer * 1e3);
  }

  /// A server with the table, and a program's session.
  private final class Side implements AutoCloseable {
    private final int rows = (int) (((long) mebibytes << 20) / COLUMNS / Float.BYTES);
    private final ParameterServer server =
        ParameterServer.open(
            ParameterServerConfig.of(1, 0, 2L * mebibytes << 20),
            List.of(TableSpec.dense("weights", rows, COLUMNS, "sgd")));
    private final WorkerSession session = server.session();
    private long clock;

    Side() {
      session.planRepeatedAccess(PlanOptions.all());
      session.create(BRANCH);
      session.select(BRANCH, Staleness.bulkSynchronous(), StepSize.of(1e-3));
    }

    void clock(float[] gradient) {
      session.add(0, 0, rows, gradient, 0);
      session.tick(1);
      session.awaitQuiet();
    }

    /// The step alone, of a gradient that is there.
    void step() {
      var all = new RowSelection.Range(0, rows);
      float[] gradient = server.shard().arrays().take(rows * COLUMNS);
      server
          .shard()
          .submit(
              new ShardCommand.Push(
                  BRANCH,
                  0,
                  clock++,
                  Staleness.bulkSynchronous(),
                  StepSize.of(1e-3),
                  1,
                  List.of(new RowBatch(0, all, gradient))))
          .join();
    }

    @Override
    public void close() {
      session.close();
      server.close();
    }
  }
}
