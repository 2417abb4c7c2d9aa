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
  private static final int SMALL_BATCH = 4096;
  private static final int PASSES_TO_ERROR = 21;
  private static final String RATE = "M ratings/s";

  /// A rank, how to train it, and what LIBMF reaches at it.
  ///
  /// Learning rates and weights of either are those with the least test error after as many passes.
  ///
  /// @param libmfRatings M ratings/s of LIBMF with one thread and with two on a machine of this
  ///   kind; of two builds, for SSE and AVX, the faster
  /// @param libmfError its test error
  private record Case(
      double learningRate,
      String l2,
      Libmf.Training libmf,
      double[] libmfRatings,
      double libmfError) {
    String name() {
      return "mf, rank " + libmf.rank();
    }
  }

  private static final List<Case> CASES =
      List.of(
          new Case(
              0.02, "0.07", new Libmf.Training(32, 0.07f, 0.07f), new double[] {38.7, 78.4}, 0.843),
          new Case(
              0.015,
              "0.07",
              new Libmf.Training(128, 0.05f, 0.07f),
              new double[] {23.6, 29},
              0.842));

  @Override
  public String title() {
    return "matrix factorization beside LIBMF";
  }

  @Override
  public List<Measurement> measure() throws IOException, InterruptedException {
    try (var folder = new ScratchFolder()) {
      GeneratedData.writeRatings(folder.path());
      var measurements = new ArrayList<Measurement>();
      for (Case one : CASES) {
        measurements.addAll(measured(folder.path(), one));
      }
      return measurements;
    }
  }

  private List<Measurement> measured(Path data, Case one) throws IOException, InterruptedException {
    var measurements = new ArrayList<Measurement>();
    double single;
    try (var run = run(data, one, "sample-sgd", 1, BATCH)) {
      run.train(PASSES_TO_ERROR);
      double error = run.metric("rmse");
      single = ratings(run, passes);
      Optional<Libmf.Result> libmf = libmf(data, one, 1);
      measurements.addAll(besideLibmf(one, 1, single, libmf));
      measurements.add(
          new Measurement(
                  one.name()
                      + ", sample-sgd: test error after %d passes".formatted(PASSES_TO_ERROR),
                  error,
                  "rating",
                  libmf.isPresent() ? "LIBMF" : "LIBMF, another run",
                  libmf.map(Libmf.Result::error).orElse(one.libmfError()))
              .withGoal(Goal.ratioAtMost(1.005)));
    }
    try (var two = run(data, one, "sample-sgd", 2, BATCH)) {
      double both = ratings(two, passes);
      measurements.addAll(besideLibmf(one, 2, both, libmf(data, one, 2)));
      measurements.add(
          new Measurement(one.name() + ", sample-sgd, 2 threads", both, RATE, "1 thread", single));
    }
    measurements.add(
        ofSmallClocks(
            data,
            one,
            "sample-sgd",
            "sample-sgd, clocks of 4,096 ratings",
            "clocks of 65,536",
            single));
    measurements.add(
        ofSmallClocks(
            data,
            one,
            "adagrad",
            "adagrad, a step a clock of 4,096 ratings",
            "sample-sgd",
            single));
    return measurements;
  }

  private Measurement ofSmallClocks(
      Path data, Case one, String rule, String name, String reference, double referenceRate)
      throws InterruptedException {
    try (var run = run(data, one, rule, 1, SMALL_BATCH)) {
      return new Measurement(
          one.name() + ", " + name, ratings(run, passes), RATE, reference, referenceRate);
    }
  }

  private static Optional<Libmf.Result> libmf(Path data, Case one, int threads)
      throws IOException, InterruptedException {
    Optional<Libmf> libmf = Libmf.find();
    return libmf.isEmpty()
        ? Optional.empty()
        : Optional.of(libmf.get().train(data, one.libmf(), threads, PASSES_TO_ERROR));
  }

  /// A rate beside LIBMF's of this run, where it is installed, and of another one: what is
  /// installed may be a build without vectors.
  private static List<Measurement> besideLibmf(
      Case one, int threads, double rate, Optional<Libmf.Result> libmf) {
    String name =
        one.name() + ", sample-sgd, %d thread%s".formatted(threads, threads == 1 ? "" : "s");
    Goal goal = Goal.ratioAtLeast(1);
    var measurements = new ArrayList<Measurement>();
    libmf.ifPresent(peer ->
        measurements.add(
            new Measurement(name, rate, RATE, "LIBMF", peer.ratingsPerSecond() / 1e6)
                .withGoal(goal)));
    measurements.add(
        new Measurement(
                name,
                rate,
                RATE,
                "LIBMF with vectors, another run",
                one.libmfRatings()[threads - 1])
            .withGoal(goal));
    return measurements;
  }

  private static ProgramRun run(Path data, Case one, String rule, int threads, int batch)
      throws InterruptedException {
    return new ProgramRun(
        "mf",
        Map.of(
            "rank",
            "" + one.libmf().rank(),
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
}
