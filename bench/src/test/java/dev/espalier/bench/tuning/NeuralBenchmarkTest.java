package dev.espalier.bench.tuning;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.gpu.GpuProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NeuralBenchmarkTest {
  private static final String GPU_BYTES = "espalier.gpu.bytes";

  @TempDir Path folder;

  @Test
  void saysWhereTheTablesLie() throws IOException {
    assertThat(run()).isZero();
    assertThat(report()).contains("tables on the host").doesNotContain("FAILED");
  }

  @Test
  void failsWhenTablesAreNotWhereTheyWereWanted() throws IOException {
    System.setProperty(GPU_BYTES, "16777216");
    try {
      int status = run();
      if (GpuProvider.chosen().isPresent()) {
        assertThat(status).isZero();
        assertThat(report()).contains("moved in").doesNotContain("FAILED");
      } else {
        assertThat(status).isEqualTo(1);
        assertThat(report()).contains("FAILED: espalier.gpu.bytes asks for a GPU");
      }
    } finally {
      System.clearProperty(GPU_BYTES);
    }
  }

  @Test
  void alsoTrainsOnText() throws IOException {
    assertThat(run("--program", "lstm", "--units", "2", "--length", "8")).isZero();
    assertThat(report())
        .contains("generated text, engine java: ", "over 1 epochs of batch 64, loss ")
        .doesNotContain("FAILED");
  }

  @Test
  void refusesOptionsOfTheOtherProgram() {
    assertThat(run("--program", "lstm", "--channels", "1,1")).isEqualTo(1);
    assertThat(run("--program", "mlp")).isEqualTo(1);
  }

  private int run() {
    return run("--channels", "1,1", "--hidden", "2");
  }

  private int run(String... options) {
    var arguments = new ArrayList<>(List.of(options));
    arguments.addAll(
        List.of("--seconds", "0.5", "--out", folder.resolve("figures.json").toString()));
    return NeuralBenchmark.run(arguments);
  }

  private String report() throws IOException {
    return Files.readString(folder.resolve("figures.json"));
  }
}
