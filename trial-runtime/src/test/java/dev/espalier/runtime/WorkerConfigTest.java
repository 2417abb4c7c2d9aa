package dev.espalier.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.runtime.branch.MemoryBudget;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WorkerConfigTest {
  private static final String MEMORY = "espalier.memory.bytes";

  @TempDir private Path folder;

  @AfterEach
  void forget() {
    System.clearProperty(MEMORY);
  }

  private static WorkerConfig started(Map<String, String> environment) {
    var all = new java.util.HashMap<>(environment);
    all.put("ESPALIER_WORKER_SECRET", "secret");
    return WorkerConfig.parse(
        List.of("work", "--job", "j", "--tuner", "h:1", "--worker", "0"), all);
  }

  @Test
  void whomToTrustIsReadFromTheEnvironmentByEitherKindOfWorker() throws Exception {
    Path file = Files.createFile(folder.resolve("ca.pem"));
    var environment = Map.of("ESPALIER_CA", file.toString());
    assertThat(started(environment).trusted()).contains(file);
    assertThat(WorkerConfig.attached("h:1", "j", "t", environment).wishing(3).trusted())
        .contains(file);
    assertThat(started(Map.of("ESPALIER_CA", " ")).trusted()).isEmpty();
    assertThatThrownBy(() -> started(Map.of("ESPALIER_CA", "/no/such.pem")))
        .hasMessage("ESPALIER_CA names /no/such.pem, which cannot be read");
  }

  @Test
  void timeAloneIsReadFromTheEnvironment() {
    assertThat(started(Map.of()).maxAlone()).isEqualTo(Duration.ofHours(1));
    assertThat(started(Map.of("ESPALIER_WORKER_MAX_ALONE", "PT3S")).maxAlone())
        .isEqualTo(Duration.ofSeconds(3));
    assertThat(WorkerConfig.inWords(Duration.ofSeconds(90))).isEqualTo("90 s");
    assertThat(WorkerConfig.inWords(Duration.ofHours(1))).isEqualTo("60 minutes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1h", "PT0S", "PT-3S", ""})
  void aTimeAloneThatIsNoneIsAnError(String text) {
    assertThatThrownBy(() -> started(Map.of("ESPALIER_WORKER_MAX_ALONE", text)))
        .hasMessage(
            "ESPALIER_WORKER_MAX_ALONE must be a time above zero such as PT30M but is " + text);
  }

  @Test
  void memoryIsWhatThePropertySays() {
    System.setProperty(MEMORY, "123456");
    assertThat(started(Map.of()).memoryBytes()).isEqualTo(123_456);
  }

  @ParameterizedTest
  @ValueSource(strings = {"8g", "0", "-1", ""})
  void memoryThatIsNoNumberOfBytesIsAnError(String text) {
    System.setProperty(MEMORY, text);
    assertThatThrownBy(MemoryBudget::bytes)
        .hasMessage(MEMORY + " must be a whole number of bytes >= 1 but is " + text);
  }
}
