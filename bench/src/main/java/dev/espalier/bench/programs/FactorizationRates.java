package dev.espalier.bench.programs;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Goal;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.bench.frame.ScratchFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Program `mf` beside LIBMF, on ratings in the size of MovieLens 1M.
///
/// @param passes over the data of each way; the median counts
public record FactorizationRates(int passes) implements Benchmark {
  private static final int BATCH = 65_536;
  private static final int PEER_PASSES = 20;
  private static final String RATE = "M ratings/s";

  /// A rank, how to train it, and what LIBMF reached at it on a machine of this kind; of two
  /// builds, for SSE and AVX, the faster.
  ///
  /// @param peerRatings M ratings/s of one thread and of two
  /// @param peerError test error after 21 passes
  private record Case(
      int rank, double learningRate, String l2, double[] peerRatings, double peerError) {}

  private static final List<Case> CASES =
      List.of(
          new Case(32, 0.02, "0.06", new double[] {38.7, 78.4}, 0.848),
          new Case(128, 0.015, "0.07", new double[] {23.6, 29}, 0.847));

  @Override
  public String title() {
    return "matrix factorization beside LIBMF";
  }

  @Override
  public List<Measurement> measure() throws IOException, InterruptedException {
    try (var folder = new ScratchFolder()) {
      GeneratedData.writeRatings(folder.path());
      Optional<Peer> peer = Peer.find("mf-train");
      var measurements = new ArrayList<Measurement>();
      for (Case one : CASES) {
        measureCase(folder.path(), peer, one, measurements);
      }
      return measurements;
    }
  }

  private void measureCase(Path data, Optional<Peer> peer, Case one, List<Measurement> measurements)
      throws IOException, InterruptedException {
    String name = "mf, rank " + one.rank();
    try (var run = run(data, one, "sample-sgd", 1, BATCH)) {
      run.train(1 + PEER_PASSES);
      double error = run.metric("rmse");
      double single = ratings(run, passes);
      measurements.add(
          new Measurement(
                  name + ", sample-sgd, 1 thread",
                  single,
                  RATE,
                  peer.isPresent() ? "LIBMF" : "LIBMF, another run",
                  libmf(data, peer, one, 1))
              .withGoal(Goal.ratioAtLeast(1)));
      measurements.add(
          new Measurement(
                  name + ", sample-sgd: test error after 21 passes",
                  error,
                  "rating",
                  "LIBMF, another run",
                  one.peerError())
              .withGoal(Goal.ratioAtMost(1.005)));
      try (var two = run(data, one, "sample-sgd", 2, BATCH)) {
        double both = ratings(two, passes);
        measurements.add(
            new Measurement(
                    name + ", sample-sgd, 2 threads",
                    both,
                    RATE,
                    peer.isPresent() ? "LIBMF" : "LIBMF, another run",
                    libmf(data, peer, one, 2))
                .withGoal(Goal.ratioAtLeast(1)));
        measurements.add(
            new Measurement(name + ", sample-sgd, 2 threads", both, RATE, "1 thread", single));
      }
      try (var small = run(data, one, "sample-sgd", 1, 4096)) {
        measurements.add(
            new Measurement(
                name + ", sample-sgd, clocks of 4,096 ratings",
                ratings(small, passes),
                RATE,
                "clocks of 65,536",
                single));
      }
      try (var clockWise = run(data, one, "adagrad", 1, 4096)) {
        measurements.add(
            new Measurement(
                name + ", adagrad, a step a clock of 4,096 ratings",
                ratings(clockWise, passes),
                RATE,
                "sample-sgd",
                single));
      }
    }
  }

  private static ProgramRun run(Path data, Case one, String rule, int threads, int batch)
      throws InterruptedException {
    return new ProgramRun(
        "mf",
        Map.of(
            "rank",
            "" + one.rank(),
            "l2",
            one.l2(),
            "optimizer",
            rule,
            "threads",
            "" + threads,
            "split",
            "u1"),
        data,
        one.learningRate(),
        batch);
  }

  /// {@return M ratings/s, the median of passes}
  private static double ratings(ProgramRun run, int count) throws InterruptedException {
    return run.trainingSamples() / run.medianPassSeconds(count) / 1e6;
  }

  private static double libmf(Path data, Optional<Peer> peer, Case one, int threads)
      throws IOException, InterruptedException {
    if (peer.isEmpty()) {
      return one.peerRatings()[threads - 1];
    }
    double seconds = peer.get().libmfPassSeconds(data, one.rank(), threads, PEER_PASSES);
    return 900_188 / seconds / 1e6;
  }
}
