package dev.espalier.tuner.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

final class DoctorTest {
  @TempDir private Path folder;

  /// A worker process answers for its part, and home and database are judged here.
  @Test
  void examinesTheMachineAHomeThatDoesNotExistYetAndTheDatabase() throws Exception {
    JsonNode report = Doctor.examine(folder.resolve("new"), Map.of());
    assertThat(List.copyOf(report.propertyNames()))
        .containsExactly(
            "processor", "memory", "java", "gpu", "libraries", "home", "database", "uses");
    assertThat(report.path("processor").path("cores").asInt()).isPositive();
    assertThat(report.path("home").path("freeGibibytes").asDouble()).isPositive();
    assertThat(report.path("home").path("writeMegabytesPerSecond").asDouble()).isPositive();
    assertThat(report.path("home").path("syncMilliseconds").asDouble()).isNotNegative();
    assertThat(report.path("home").has("problem")).isFalse();
    assertThat(report.path("database").path("choice").asString())
        .startsWith("embedded PostgreSQL 18");
    assertThat(report.path("database").path("data").asString())
        .isEqualTo("made at the first start");
    assertThat(report.path("uses").path(5).asString())
        .startsWith("database: embedded PostgreSQL")
        .endsWith("because ESPALIER_DATABASE_URL is not set");
    assertThat(Files.exists(folder.resolve("new"))).as("it changes nothing").isFalse();
    try (var left = Files.list(folder)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void aDatabaseThatDoesNotAnswerIsAProblemWithoutItsPassword() {
    Map<String, Object> database =
        Doctor.database(
            folder,
            Map.of(
                "ESPALIER_DATABASE_URL",
                "jdbc:postgresql://127.0.0.1:1/x?password=hidden",
                "ESPALIER_DATABASE_PASSWORD",
                "hidden"));
    assertThat(database.get("choice")).isEqualTo("the PostgreSQL that ESPALIER_DATABASE_URL names");
    assertThat(String.valueOf(database.get("problem")))
        .contains("127.0.0.1:1/x cannot be reached")
        .doesNotContain("hidden");
  }

  @Test
  void aHomeThatCannotBeWrittenIsAProblem() throws Exception {
    Path file = Files.createFile(folder.resolve("file"));
    assertThat(Doctor.disk(file.resolve("home")))
        .containsKey("freeGibibytes")
        .doesNotContainKey("problem");
    assertThat(Doctor.disk(Path.of("/proc/espalier")).get("problem"))
        .asString()
        .startsWith("/proc cannot be written");
  }
}
