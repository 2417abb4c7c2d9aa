package dev.espalier.bench;

import dev.espalier.bench.frame.Harness;
import dev.espalier.bench.frame.Suite;
import dev.espalier.bench.ps.FirstClocks;
import dev.espalier.bench.ps.ForkCost;
import dev.espalier.bench.ps.ParameterServerSuite;
import dev.espalier.bench.tuning.NeuralBenchmark;
import dev.espalier.bench.tuning.TuningBenchmark;
import java.nio.file.Path;
import java.util.List;

/// `espalier bench`: the figures of `docs/BENCHMARKS.md`, `docs/PERFORMANCE.md` and
/// `docs/TUNING.md` but for those that Chromium, JMH or a GPU measure.
public final class Bench {
  /// Rules without state, and with one and two arrays of it.
  private static final List<String> STEPPED = List.of("sgd", "momentum", "adam");

  private static final String TUNING = "tuning";
  private static final String NEURAL = "neural";
  private static final List<Suite> SUITES =
      List.of(
          new Suite(
              "main",
              "the whole system, for docs/BENCHMARKS.md; about 6 minutes",
              isQuick -> wholeSystem(isQuick ? Scale.QUICK : Scale.FULL)),
          ParameterServerSuite.suite());

  private Bench() {}

  /// Ends with the exit status of [Harness#run].
  public static void main(String[] arguments) {
    List<String> all = List.of(arguments);
    System.exit(
        switch (all.isEmpty() ? "" : all.getFirst()) {
          case TUNING -> TuningBenchmark.run(all.subList(1, all.size()), home());
          case NEURAL -> NeuralBenchmark.run(all.subList(1, all.size()));
          default -> Harness.run(SUITES, all);
        });
  }

  private static Path home() {
    return Path.of(System.getProperty("espalier.home.dist", "."));
  }

  private static List<Suite.Part> wholeSystem(Scale scale) {
    return List.of(
        new Suite.Part(
            "main",
            List.of(
                new ForkCost(scale.tableMebibytes(), scale.forks()),
                new FirstClocks(scale.clockMebibytes(), scale.forks(), STEPPED),
                new ClockRates(scale),
                new JobRates(scale),
                new DecisionRates(scale),
                new StartupTimes(scale))));
  }
}
