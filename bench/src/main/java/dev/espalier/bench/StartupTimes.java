package dev.espalier.bench;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.JavaProcess;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.bench.frame.Rate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Seconds from the start of the server's process until it is ready, beside a JVM that does
/// nothing.
final class StartupTimes implements Benchmark {
  private final Scale scale;

  StartupTimes(Scale scale) {
    this.scale = scale;
  }

  @Override
  public String title() {
    return "start of the server";
  }

  @Override
  public List<Measurement> measure() throws IOException, InterruptedException {
    var bare = new ArrayList<Double>();
    var first = new ArrayList<Double>();
    var again = new ArrayList<Double>();
    for (int i = 0; i < scale.starts(); i++) {
      bare.add(bareSeconds());
      Path folder = Files.createTempDirectory("espalier-bench");
      Path home = folder.resolve("home");
      try {
        first.add(readySeconds(home));
        again.add(readySeconds(home));
      } finally {
        ServerProcess.deleteTree(folder);
      }
    }
    return List.of(
        new Measurement(
            "first start of the server, with a new database",
            median(first),
            "s",
            "java -version",
            median(bare)),
        new Measurement(
            "later start of the server", median(again), "s", "first start", median(first)));
  }

  private static double median(List<Double> values) {
    return Rate.median(values.stream().mapToDouble(Double::doubleValue));
  }

  private static double readySeconds(Path home) throws IOException, InterruptedException {
    try (ServerProcess server = ServerProcess.start(home)) {
      return server.readySeconds();
    }
  }

  private static double bareSeconds() throws IOException, InterruptedException {
    long start = System.nanoTime();
    Process process =
        new ProcessBuilder(JavaProcess.java(), "-version")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    process.waitFor();
    return (System.nanoTime() - start) / 1e9;
  }
}
