package dev.espalier.tuner.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.tuner.app.port.JobTryout.Opened;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LocalTryoutTest {
  @TempDir Path folder;

  private final WorkerCommand command =
      new WorkerCommand(
          Path.of(System.getProperty("java.home"), "bin", "java"),
          System.getProperty("java.class.path"),
          List.of());

  @Test
  void dataThatTheProgramDoesNotReadAreAProblem() {
    var programs = new DescribedPrograms(command, folder.resolve("programs"));
    var tryout = new LocalTryout(command, programs);
    JobSpec spec =
        JobSpecReader.read(
                Map.of("program", "mlp", "data", "empty", "arguments", Map.of("hidden", "8")),
                programs::find)
            .spec()
            .orElseThrow();

    assertThat(tryout.open(spec, "").orElseThrow())
        .isInstanceOfSatisfying(
            Opened.Shaped.class,
            shape -> assertThat(shape.trainingSamples()).isGreaterThan(shape.defaultBatchSize()));
    assertThat(tryout.open(spec, folder.toString()).orElseThrow())
        .isInstanceOfSatisfying(
            Opened.Refused.class,
            refused -> assertThat(refused.problem()).contains(folder.toString()));
  }
}
