package dev.espalier.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Real processes that wait for the details of a question.
@Timeout(60)
class WorkerMainTest {
  private Process asker;
  private Process worker;

  @AfterEach
  void endAll() {
    asker.destroyForcibly();
    worker.destroyForcibly();
  }

  private void start() throws Exception {
    asker = new ProcessBuilder("sleep", "600").start();
    worker =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Despalier.asker=" + asker.pid(),
                "-cp",
                System.getProperty("java.class.path"),
                WorkerMain.class.getName(),
                "open")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 2000})
  void whoAnswersEndsWithWhoAsked(long afterMillis) throws Exception {
    start();
    Thread.sleep(afterMillis);

    asker.destroyForcibly().waitFor();

    assertThat(worker.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(worker.exitValue()).isEqualTo(1);
  }

  @Test
  void whoAnswersWaitsWhileWhoAskedIsThere() throws Exception {
    start();

    assertThat(worker.waitFor(3, TimeUnit.SECONDS)).isFalse();
  }
}
