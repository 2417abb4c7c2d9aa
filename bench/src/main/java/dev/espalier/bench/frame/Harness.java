package dev.espalier.bench.frame;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// Runs what the command line asks for and reports it.
public final class Harness {
  private final List<Section> sections = new ArrayList<>();
  private boolean isComplete = true;

  private Harness() {}

  /// Runs a command line.
  ///
  /// @return exit status: 0 when all was measured, 1 when something failed, 2 for wrong arguments
  public static int run(List<Suite> suites, List<String> arguments) {
    if (arguments.contains("--help") || arguments.contains("-h")) {
      System.out.print(Options.usage(suites));
      return 0;
    }
    Options options;
    try {
      options = Options.parse(suites, arguments);
    } catch (IllegalArgumentException e) {
      System.err.println("espalier bench: " + e.getMessage());
      System.err.print(Options.usage(suites));
      return 2;
    }
    return new Harness().run(options);
  }

  private int run(Options options) {
    for (Suite.Part part : options.suite().parts().apply(options.isQuick())) {
      if (options.wants(part)) {
        measure(options, part);
      }
    }
    var report = new Report(options.suite().name(), sections);
    System.out.print("\n" + report.table());
    return isComplete && write(report, options) ? 0 : 1;
  }

  private void measure(Options options, Suite.Part part) {
    Machine machine = Machine.here();
    var measurements = new ArrayList<Measurement>();
    for (Benchmark benchmark : part.benchmarks()) {
      System.err.printf("%s: %s ...", part.name(), benchmark.title());
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
    sections.add(
        new Section(part.name(), options.command(part), Instant.now(), machine, measurements));
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
