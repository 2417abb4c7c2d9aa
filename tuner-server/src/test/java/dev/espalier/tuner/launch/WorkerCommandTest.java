package dev.espalier.tuner.launch;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Scripts in the place of worker processes.
@Timeout(60)
final class WorkerCommandTest {
  @TempDir Path folder;

  /// People read it: how the question is named is nothing to them.
  @Test
  void whatAWorkerSaysOfItsFailureStandsAlone() {
    assertThatThrownBy(() -> ask("echo 'at line 3' >&2; echo 'worker 1 is missing' >&2; exit 1"))
        .hasMessage("worker 1 is missing");
  }

  @Test
  void aWorkerThatEndsWithoutAWordIsToldByItsStatus() {
    assertThatThrownBy(() -> ask("exit 1")).hasMessage("model ended with status 1");
    assertThatThrownBy(() -> ask("echo 'out of memory' >&2; exit 137"))
        .hasMessage("model ended with status 137: out of memory");
  }

  private byte[] ask(String script) throws IOException {
    Path java = folder.resolve("java");
    Files.writeString(java, "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwx------"));
    return new WorkerCommand(java, "", List.of()).answer(List.of(), "model");
  }
}
