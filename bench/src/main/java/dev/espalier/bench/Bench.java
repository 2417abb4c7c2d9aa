package dev.espalier.bench;

import dev.espalier.bench.frame.Harness;
import dev.espalier.bench.frame.Suite;
import dev.espalier.bench.ps.ForkCost;
import dev.espalier.bench.ps.ParameterServerSuite;
import java.util.List;

/// `espalier bench`: every figure of `docs/BENCHMARKS.md` and `docs/PERFORMANCE.md`.
public final class Bench {
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
    System.exit(Harness.run(SUITES, List.of(arguments)));
  }

  private static List<Suite.Part> wholeSystem(Scale scale) {
    return List.of(
        new Suite.Part(
            "main",
            List.of(
                new ForkCost(scale.tableMebibytes(), scale.forks()),
                new ClockRates(scale),
                new JobRates(scale),
                new DecisionRates(scale),
                new StartupTimes(scale))));
  }
}
