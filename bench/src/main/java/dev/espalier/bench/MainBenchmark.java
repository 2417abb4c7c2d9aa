package dev.espalier.bench;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// `espalier bench main`: every figure of `docs/BENCHMARKS.md`.
public final class MainBenchmark {
  private MainBenchmark() {}

  /// Exit status 0 when all was measured, 1 when something failed, 2 for wrong arguments.
  public static void main(String[] arguments) {
    System.exit(run(List.of(arguments)));
  }

  private static int run(List<String> arguments) {
    if (arguments.contains("--help") || arguments.contains("-h")) {
      System.out.print(Options.USAGE);
      return 0;
    }
    Options options;
    try {
      options = Options.parse(arguments);
    } catch (IllegalArgumentException e) {
      System.err.println("espalier bench: " + e.getMessage());
      System.err.print(Options.USAGE);
      return 2;
    }
    var measurements = new ArrayList<Measurement>();
    Machine machine = Machine.here();
    boolean isComplete = measure(options.isQuick() ? Scale.QUICK : Scale.FULL, measurements);
    var report = new Report(command(options), Instant.now(), machine, measurements);
    System.out.print("\n" + report.table());
    return isComplete && write(report, options) ? 0 : 1;
  }

  private static String command(Options options) {
    return "./espalier bench main" + (options.isQuick() ? " --quick" : "");
  }

  /// {@return whether nothing failed}
  private static boolean measure(Scale scale, List<Measurement> measurements) {
    List<Benchmark> benchmarks =
        List.of(
            new ForkCost(scale),
            new ClockRates(scale),
            new JobRates(scale),
            new DecisionRates(scale),
            new StartupTimes(scale));
    boolean isComplete = true;
    for (int i = 0; i < benchmarks.size(); i++) {
      Benchmark benchmark = benchmarks.get(i);
      System.err.printf("[%d/%d] %s ...", i + 1, benchmarks.size(), benchmark.title());
      long start = System.nanoTime();
      try {
        measurements.addAll(benchmark.measure());
        System.err.println(" " + Duration.ofNanos(System.nanoTime() - start).toSeconds() + " s");
      } catch (Exception e) {
        System.err.println(" failed");
        e.printStackTrace();
        isComplete = false;
      }
    }
    return isComplete;
  }

  /// A run in which something failed leaves files as they were.
  private static boolean write(Report report, Options options) {
    try {
      if (options.json().isPresent()) {
        report.writeJson(options.json().get());
      }
      if (options.markdown().isPresent()) {
        report.writeMarkdown(options.markdown().get());
      }
      return true;
    } catch (IOException e) {
      System.err.println("espalier bench: " + e.getMessage());
      return false;
    }
  }
}
