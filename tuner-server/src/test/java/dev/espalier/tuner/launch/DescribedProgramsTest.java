package dev.espalier.tuner.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.EspalierException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A real worker process describes what is built in; a script before it fails or hangs.
@Timeout(60)
final class DescribedProgramsTest {
  @TempDir Path folder;

  @Test
  void aRuntimeThatFailedIsAskedAgain() throws IOException {
    Path healthy = folder.resolve("healthy");
    var programs = described("[ -e " + healthy + " ] || exit 3", Duration.ofMillis(100));
    assertThatThrownBy(() -> programs.find("mlp"))
        .isInstanceOf(EspalierException.class)
        .hasMessageContaining("ended with status 3");

    Files.createFile(healthy);

    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .ignoreExceptions()
        .until(() -> programs.find("mlp").isPresent());
  }

  @Test
  void aJarThatHangsHoldsUpNoBuiltInProgram() throws IOException {
    Path jars = Files.createDirectory(folder.resolve("programs"));
    for (int jar = 0; jar < 3; jar++) {
      Files.createFile(jars.resolve("hangs-" + jar + ".jar"));
    }
    Path finish = folder.resolve("finish");
    Path asked = folder.resolve("asked");
    var programs =
        described(
            """
            case "$*" in *describe-declared*)
              echo asked >> %s
              while [ -e %s ] && [ ! -e %s ]; do sleep 0.1; done
              exit 0;;
            esac\
            """
                .formatted(asked, asked, finish),
            Duration.ofMinutes(1));
    try {
      Awaitility.await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> Files.exists(asked) && Files.readAllLines(asked).size() > 1);

      assertThat(programs.find("mlp")).isPresent();
      assertThat(programs.jarsOf("mlp")).isEmpty();
      assertThat(asked).as("jars that are asked at a time").content().hasLineCount(2);
    } finally {
      Files.createFile(finish);
    }
  }

  /// @param first what the shell does before the JVM
  private DescribedPrograms described(String first, Duration retry) throws IOException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Path script = folder.resolve("java");
    Files.writeString(script, "#!/bin/sh\n" + first + "\nexec " + java + " \"$@\"\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    var command = new WorkerCommand(script, System.getProperty("java.class.path"), List.of());
    return new DescribedPrograms(command, folder.resolve("programs"), retry);
  }
}
