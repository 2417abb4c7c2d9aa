package dev.espalier.tuner.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.programs.nn.MultilayerPerceptron;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Workers that are processes of the machine, though they train nothing.
@Timeout(60)
final class LocalProcessLauncherTest {
  private static final String JOB = "job_1";

  @TempDir Path folder;
  private final List<Integer> exited = new CopyOnWriteArrayList<>();

  /// The job is told that its workers could not be started, and not that it lost some.
  @Test
  void whereNotAllWorkersStartTheEndOfTheOthersIsNoNews() throws IOException {
    Path second = Files.createDirectories(folder.resolve(JOB).resolve("worker-1.pid"));
    LocalProcessLauncher launcher = launcher();

    assertThatThrownBy(() -> launch(launcher)).hasMessageContaining("workers cannot be started");

    Awaitility.await()
        .during(Duration.ofMillis(300))
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(() -> assertThat(exited).isEmpty());
    Files.delete(second);
    launch(launcher);
    launcher.kill(JOB);
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(exited).containsExactlyInAnyOrder(0, 1));
  }

  /// There, digits are others.
  @Test
  void logsHaveTheSameNamesInEgypt() throws IOException {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.of("ar", "EG"));
    try {
      LocalProcessLauncher launcher = launcher();
      launch(launcher);
      launcher.kill(JOB);

      assertThat(launcher.logs(JOB))
          .extracting(log -> log.getFileName().toString())
          .containsExactlyInAnyOrder("worker-0-generation-1.log", "worker-1-generation-1.log");
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void workersDivideTheCoresUnlessTheirOptionsSayOtherwise() throws Exception {
    LocalProcessLauncher launcher = launcher("-Despalier.cores=7");
    try {
      launch(launcher);

      int each = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
      Awaitility.await()
          .untilAsserted(() ->
              assertThat(folder.resolve("arguments"))
                  .content()
                  .hasLineCount(2)
                  .containsPattern("-Despalier.cores=" + each + " .*-Despalier.cores=7 "));
    } finally {
      launcher.kill(JOB);
    }
  }

  private void launch(LocalProcessLauncher launcher) {
    launcher.launch(JOB, spec(), 1, "secret", (worker, _) -> exited.add(worker));
  }

  private LocalProcessLauncher launcher(String... javaOptions) throws IOException {
    Path script = folder.resolve("java");
    Files.writeString(
        script,
        """
        #!/bin/sh
        case "$*" in
          *describe*) echo '[]' ;;
          *) echo "$*" >>'%s'; exec sleep 30 ;;
        esac
        """
            .formatted(folder.resolve("arguments")));
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    var command = new WorkerCommand(script, "", List.of(javaOptions));
    var programs = new DescribedPrograms(command, folder.resolve("programs"));
    return new LocalProcessLauncher(command, programs, folder, "127.0.0.1:1");
  }

  private static JobSpec spec() {
    ProgramDescriptor mlp = new MultilayerPerceptron().describe();
    return JobSpecReader.read(Map.of("program", "mlp", "workers", 2), _ -> Optional.of(mlp))
        .spec()
        .orElseThrow();
  }

  /// A process that waits, with the arguments of a worker, of which there may be many.
  private static Process worker(Path jobsFolder) throws IOException {
    return new ProcessBuilder(
            "sh",
            "-c",
            "read -r line",
            "worker",
            "x".repeat(20_000),
            "-Despalier.job=" + JOB,
            "-Despalier.jobs=" + jobsFolder)
        .start();
  }

  private void write(Process worker) throws IOException {
    Path job = Files.createDirectories(folder.resolve(JOB));
    Files.writeString(job.resolve("worker-0.pid"), Long.toString(worker.pid()));
  }

  @Test
  void aCopyOfAHomeDoesNotEndTheWorkersOfTheOriginal() throws Exception {
    LocalProcessLauncher launcher = launcher();
    Process own = worker(folder);
    Process others = worker(folder.resolveSibling("original"));
    try {
      write(others);
      launcher.kill(JOB);
      write(own);
      launcher.kill(JOB);

      assertThat(own.waitFor(Duration.ofSeconds(10))).isTrue();
      assertThat(others.isAlive()).isTrue();
    } finally {
      own.destroyForcibly();
      others.destroyForcibly();
    }
  }

  /// The worker of a server that is gone, and that knew the folder by another name; beside it
  /// should be another one, which is gone too.
  @Test
  void workersOfAnEarlierServerAreMissedAtOnce(@TempDir Path names) throws Exception {
    LocalProcessLauncher launcher = launcher();
    assertThat(launcher.hasStarted(JOB)).isFalse();
    Process own = worker(Files.createSymbolicLink(names.resolve("link"), folder));
    try {
      write(own);
      assertThat(launcher.hasStarted(JOB)).isTrue();

      launcher.watch(
          JOB,
          2,
          (worker, status) -> {
            assertThat(status).isEmpty();
            exited.add(worker);
          });

      assertThat(exited).containsExactly(1);
      own.destroyForcibly();
      Awaitility.await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(() -> assertThat(exited).containsExactly(1, 0));
      launcher.kill(JOB);
      assertThat(launcher.hasStarted(JOB)).isFalse();
    } finally {
      own.destroyForcibly();
    }
  }
}
