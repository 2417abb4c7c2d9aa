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

/// Program `logreg` beside LIBLINEAR, the faster of it and Vowpal Wabbit, on examples of the shape
/// of RCV1.
///
/// @param rows training examples
/// @param passes over the data of each way; the median counts
public record LogisticRates(int rows, int passes) implements Benchmark {
  private static final String RATE = "M non-zeros/s";
  private static final int PASSES_TO_LOSS = 15;

  /// M non-zeros/s of one thread on a machine of this kind: LIBLINEAR's primal solver, and Vowpal
  /// Wabbit from its cache with two.
  private static final double LIBLINEAR = 286;

  private static final double VOWPAL_WABBIT = 63;

  @Override
  public String title() {
    return "logistic regression beside LIBLINEAR and Vowpal Wabbit";
  }

  @Override
  public List<Measurement> measure() throws IOException, InterruptedException {
    try (var folder = new ScratchFolder()) {
      long entries = GeneratedData.writeExamples(folder.path(), rows);
      Optional<Liblinear> peer = Liblinear.find();
      double liblinear =
          peer.isPresent() ? entries / peer.get().sweepSeconds(folder.path()) / 1e6 : LIBLINEAR;
      String reference = peer.isPresent() ? "LIBLINEAR, primal" : "LIBLINEAR, another run";
      var measurements = new ArrayList<Measurement>();
      double single;
      try (var run = run(folder.path(), "sample-sgd", 1, 0.5, 8192)) {
        run.train(PASSES_TO_LOSS);
        double loss = run.metric("logLoss");
        single = rate(run, entries);
        measurements.add(
            new Measurement("logreg, sample-sgd, 1 thread", single, RATE, reference, liblinear)
                .withGoal(Goal.ratioAtLeast(1)));
        measurements.add(
            new Measurement(
                    "logreg, sample-sgd, 1 thread",
                    single,
                    RATE,
                    "Vowpal Wabbit, another run",
                    VOWPAL_WABBIT)
                .withGoal(Goal.ratioAtLeast(1)));
        measurements.add(
            new Measurement(
                "logreg, sample-sgd: test log loss after %d passes".formatted(PASSES_TO_LOSS),
                loss,
                "nats",
                "knowing nothing",
                Math.log(2)));
      }
      try (var two = run(folder.path(), "sample-sgd", 2, 0.5, 8192)) {
        measurements.add(
            new Measurement(
                "logreg, sample-sgd, 2 threads without locks",
                rate(two, entries),
                RATE,
                "1 thread",
                single));
      }
      try (var small = run(folder.path(), "sample-sgd", 1, 0.5, 512)) {
        measurements.add(
            new Measurement(
                "logreg, sample-sgd, clocks of 512 examples",
                rate(small, entries),
                RATE,
                "clocks of 8,192",
                single));
      }
      try (var clockWise = run(folder.path(), "adagrad", 1, 0.1, 512)) {
        measurements.add(
            new Measurement(
                "logreg, adagrad, a step a clock of 512 examples",
                rate(clockWise, entries),
                RATE,
                "sample-sgd",
                single));
      }
      return measurements;
    }
  }

  private static ProgramRun run(Path data, String rule, int threads, double learningRate, int batch)
      throws InterruptedException {
    return new ProgramRun(
        "logreg",
        Map.of("optimizer", rule, "threads", "" + threads, "train", "rcv"),
        data,
        learningRate,
        batch);
  }

  private double rate(ProgramRun run, long entries) throws InterruptedException {
    return entries / run.medianPassSeconds(passes) / 1e6;
  }
}
