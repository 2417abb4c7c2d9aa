package dev.espalier.bench.net;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.bench.frame.Rounds;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.table.Factors;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.transport.FrameCodec;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.transport.RouteKind;
import dev.espalier.runtime.transport.ShardRoutes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.function.IntConsumer;

/// What it takes to bring the gradient of a dense layer for a small batch to a shard of another
/// process and to step by it: as the matrix it is, or as the vectors whose products it is the sum
/// of. The shard's time for the products is in the figures, the worker's for the matrix is not.
public final class FactorRates implements Benchmark {
  private static final int ROWS = NetworkTables.DENSE_ROWS;
  private static final int COLUMNS = NetworkTables.DENSE_COLUMNS;
  private static final int[] BATCHES = {8, 32};
  private static final int REPEATS = 20;

  /// A network of a gigabit a second.
  private static final double SLOW_BYTES_PER_SECOND = 125e6;

  private final Rounds rounds;

  /// @param rounds of which the median counts
  public FactorRates(Rounds rounds) {
    this.rounds = rounds;
  }

  @Override
  public String title() {
    return "a dense layer's gradient as sufficient factors";
  }

  @Override
  public List<Measurement> measure() throws ExecutionException, IOException, InterruptedException {
    var measurements = new ArrayList<Measurement>();
    try (ShardProcess process = ShardProcess.start();
        ParameterServer unused = NetworkTables.open()) {
      int branch = 0;
      for (RouteKind kind : List.of(RouteKind.AUTO, RouteKind.SOCKET)) {
        try (Transport transport =
            ShardRoutes.open(
                -1, unused.shard(), List.of(process.address()), NetworkTables.TOKEN, kind, true)) {
          var route = new Route(transport, new BranchRef(branch++));
          for (int batch : BATCHES) {
            measure(kind, route, factors(batch), measurements);
          }
        }
      }
    }
    return measurements;
  }

  private static Factors factors(int batch) {
    Random random = new Random(batch);
    float[] left = new float[batch * ROWS];
    float[] right = new float[batch * COLUMNS];
    for (int i = 0; i < left.length; i++) {
      left[i] = (float) random.nextGaussian();
    }
    for (int i = 0; i < right.length; i++) {
      right[i] = (float) random.nextGaussian();
    }
    return new Factors(batch, ROWS, COLUMNS, left, right);
  }

  private void measure(RouteKind kind, Route route, Factors factors, List<Measurement> measurements)
      throws ExecutionException, InterruptedException {
    RowBatch asFactors = RowBatch.of(NetworkTables.DENSE, 0, factors);
    int factorBytes = bytes(asFactors);
    RowBatch asMatrix = asFactors.inArray();
    int denseBytes = bytes(asMatrix);
    List<IntConsumer> work = List.of(_ -> route.push(asMatrix), _ -> route.push(asFactors));
    double[] seconds = rounds.medianSeconds(1, work);
    double dense = seconds[0] / REPEATS;
    double sparse = seconds[1] / REPEATS;
    String what = "gradient of %d x %d, %d samples".formatted(ROWS, COLUMNS, factors.samples());
    if (kind == RouteKind.AUTO) {
      measurements.add(
          new Measurement(what + ", factors", factorBytes, "B", "dense push", denseBytes));
    }
    measurements.add(
        new Measurement(
            "%s, factors, %s".formatted(what, kind),
            1e3 * sparse,
            "ms",
            "dense push",
            1e3 * dense));
    if (kind == RouteKind.SOCKET) {
      measurements.add(
          new Measurement(
              what + ", factors, SOCKET and a wire of 1 Gbit/s (reckoned)",
              1e3 * (sparse + factorBytes / SLOW_BYTES_PER_SECOND),
              "ms",
              "dense push",
              1e3 * (dense + denseBytes / SLOW_BYTES_PER_SECOND)));
    }
  }

  private static int bytes(RowBatch batch) {
    return FrameCodec.encode(new ShardCommand.Assign(new BranchRef(0), 0, List.of(batch)))
        .remaining();
  }

  /// A way to the shard, with a branch of its own.
  private static final class Route {
    private final Transport transport;
    private final BranchRef branch;
    private long clock;

    Route(Transport transport, BranchRef branch) {
      this.transport = transport;
      this.branch = branch;
      NetworkTables.settle(transport, new ShardCommand.Create(branch, 0));
    }

    void push(RowBatch gradient) {
      for (int i = 0; i < REPEATS; i++) {
        NetworkTables.settle(
            transport,
            new ShardCommand.Push(
                branch,
                0,
                clock++,
                Staleness.bulkSynchronous(),
                StepSize.of(1e-6),
                1,
                List.of(gradient)));
      }
    }
  }
}
