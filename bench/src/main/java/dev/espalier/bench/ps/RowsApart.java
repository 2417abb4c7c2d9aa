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
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;

/// What a sparse clock costs, whose rows lie apart, beside one of as many floats that lie together,
/// of a dense table that has just so many rows: an update is added and the clock ticked.
///
/// @param rounds how often to measure
record RowsApart(Rounds rounds) implements Benchmark {
  private static final List<String> RULES = List.of("sgd", "adagrad", "adam");
  private static final int[] COLUMNS = {1, 4, 16, 32};
  private static final int ROWS = 1 << 18;
  private static final int TOUCHED = 1000;
  private static final int CLOCKS = 200;
  private static final int SPARSE = 0;
  private static final int DENSE = 1;
  private static final BranchRef BRANCH = new BranchRef(0);

  @Override
  public String title() {
    return "clocks of %d rows that lie apart".formatted(TOUCHED);
  }

  @Override
  public List<Measurement> measure() throws ExecutionException, InterruptedException {
    List<Measurement> measurements = new ArrayList<>();
    for (String rule : RULES) {
      for (int columns : COLUMNS) {
        measurements.add(measure(rule, columns));
      }
    }
    return measurements;
  }

  private Measurement measure(String rule, int columns)
      throws ExecutionException, InterruptedException {
    var tables =
        List.of(
            TableSpec.sparse("apart", ROWS, columns, rule),
            TableSpec.dense("together", TOUCHED, columns, rule));
    try (ParameterServer server =
            ParameterServer.open(ParameterServerConfig.of(1, 0, 1L << 30), tables);
        WorkerSession session = server.session()) {
      session.create(BRANCH);
      session.select(BRANCH, Staleness.bulkSynchronous(), StepSize.of(1e-3));
      long[][] rows = randomRows();
      float[] gradient = new float[TOUCHED * columns];
      double[] seconds =
          rounds.medianSeconds(
              1,
              List.of(
                  _ -> {
                    for (long[] clock : rows) {
                      session.add(SPARSE, clock, TOUCHED, gradient);
                      session.tick(1);
                    }
                  },
                  _ -> {
                    for (int clock = 0; clock < CLOCKS; clock++) {
                      session.add(DENSE, 0, TOUCHED, gradient, 0);
                      session.tick(1);
                    }
                  }));
      return new Measurement(
          "%d rows of %d x 4 B apart, %s".formatted(TOUCHED, columns, rule),
          seconds[0] * 1e6 / CLOCKS,
          "us",
          "as many floats side by side",
          seconds[1] * 1e6 / CLOCKS);
    }
  }

  /// The rows of each clock, in ascending order.
  private static long[][] randomRows() {
    var random = new SplittableRandom(1);
    long[][] rows = new long[CLOCKS][];
    for (int clock = 0; clock < CLOCKS; clock++) {
      rows[clock] = random.longs(0, ROWS).distinct().limit(TOUCHED).sorted().toArray();
    }
    return rows;
  }
}
