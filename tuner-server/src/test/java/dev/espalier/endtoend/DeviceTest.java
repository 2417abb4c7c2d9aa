package dev.espalier.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// A tuned job whose workers keep their tables on a device comes out as one that keeps them on the
/// host: on a GPU where there is one, else on the double of its driver.
@Timeout(300)
class DeviceTest {
  private static final Path BUILD_DOUBLE = Path.of("../ps-embedded/src/test/cuda/build-double.sh");
  private static final String JOB =
      """
      program: mlp
      seed: 7
      arguments: { hidden: [48] }
      tuning: { policy: mltuner, searcher: random, maxTrials: 5, trialTime: 0.03s }
      stop: { maxEpochs: 1 }
      time: { model: { perClockSeconds: 0.0002, perSampleSeconds: 7.0e-6 } }
      gpuMemory: %s
      """;

  /// Less than the tables of all trials take.
  private static final String TIGHT = "8MiB";

  @TempDir static Path folder;

  @Test
  void aJobComesOutTheSameOnADevice() throws Exception {
    Path home = Files.createDirectory(folder.resolve("home"));
    try (var server = ServerProcess.start(home, device())) {
      String host = server.submit(JOB.formatted("0"));
      JsonNode expected = server.awaitEnd(host);
      TreeMap<String, String> decisions = server.decisions(host);
      assertThat(expected.path("state").asString()).isEqualTo("COMPLETED");

      String device = server.submit(JOB.formatted(TIGHT));
      JsonNode end = server.awaitEnd(device);

      assertThat(server.logs(device)).contains("gpu=").doesNotContain("gpu=none");
      assertThat(end.path("metrics")).isEqualTo(expected.path("metrics"));
      assertThat(server.decisions(device)).isEqualTo(decisions);
    }
  }

  /// The environment in which workers find a device.
  private static Map<String, String> device() throws IOException, InterruptedException {
    if (Files.exists(Path.of("/dev/nvidiactl"))) {
      return Map.of();
    }
    assumeTrue(
        Stream.of(System.getenv("PATH").split(File.pathSeparator))
            .anyMatch(directory -> Files.isExecutable(Path.of(directory, "g++"))),
        "there is no device, and no g++ to build its double");
    Process compiler =
        new ProcessBuilder(
                BUILD_DOUBLE.toString(), folder.resolve("libcuda.so.1").toAbsolutePath().toString())
            .inheritIO()
            .start();
    assertThat(compiler.waitFor(120, TimeUnit.SECONDS)).as("g++ ends").isTrue();
    assertThat(compiler.exitValue()).isZero();
    return Map.of("LD_LIBRARY_PATH", folder.toAbsolutePath().toString());
  }
}
