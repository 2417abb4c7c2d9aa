package dev.espalier.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// What the default policy finds is handed on: as a schedule, and to later jobs of the program.
@Timeout(240)
class RacedJobTest {
  private static final String JOB =
      """
      program: logreg
      seed: 11
      stop: { maxEpochs: 6 }
      time: { model: { perClockSeconds: 0.0002, perSampleSeconds: 2.0e-6 } }
      """;

  /// There, digits are others.
  private static final String IN_EGYPT =
      "-Xmx300m,-XX:MaxDirectMemorySize=1g,-XX:+UseSerialGC,-Duser.language=ar,-Duser.country=EG";

  @TempDir private Path folder;

  @Test
  void whatAJobFoundIsTrainedAgainAndRacedFirstByTheNext() throws Exception {
    try (var server = ServerProcess.start(folder, "--espalier.worker-java-options=" + IN_EGYPT)) {
      String first = server.submit(JOB);
      JsonNode found = server.awaitEnd(first);
      assertThat(found.path("state").asString()).isEqualTo("COMPLETED");
      assertThat(found.path("policy").asString()).isEqualTo("racing");

      trainsAgain(server, first);
      racesFirst(server, first);
      isTheSameInEgypt(server, first);
      String without = server.submit(JOB + "tuning: { warmStart: false }\n");
      server.awaitDecision(without, "setting");
      assertThat(server.decisions(without).keySet()).noneMatch(key -> key.startsWith("prior/"));
    }
  }

  private static void isTheSameInEgypt(ServerProcess server, String job) throws Exception {
    var logs = new StringBuilder();
    assertThat(server.espalier(logs, "job", "logs", job)).isZero();
    assertThat(logs).containsPattern("opened in [0-9]+\\.[0-9]{2} s");
  }

  private void trainsAgain(ServerProcess server, String job) throws Exception {
    var exported = new StringBuilder();
    assertThat(server.espalier(exported, "schedule", "export", job, "--format", "job")).isZero();
    String again = server.submit(exported.toString());
    server.awaitEnd(again);

    JsonNode result = server.get("/jobs/" + job + "/schedule").path("result");
    assertThat(result.path("steps").valueStream())
        .anyMatch(step -> step.path("cooldown").path("untilClock").asLong() > 0);
    JsonNode last = server.get("/jobs/" + again + "/evaluations").path("items");
    assertThat(last.get(last.size() - 1).path("metrics")).isEqualTo(metricsOfResult(server, job));
  }

  /// Another start, or a stretch that the mainline left, may have been evaluated at that clock.
  private static JsonNode metricsOfResult(ServerProcess server, String job) throws Exception {
    JsonNode result = server.get("/jobs/" + job).path("result");
    return server
        .get("/jobs/" + job + "/evaluations")
        .path("items")
        .valueStream()
        .filter(made -> made.path("start").asInt() == result.path("start").asInt())
        .filter(made -> made.path("mainlineClock").asLong() == result.path("clock").asLong())
        .map(made -> made.path("metrics"))
        .filter(metrics -> metrics.values().contains(result.path("value")))
        .findFirst()
        .orElseThrow();
  }

  private static void racesFirst(ServerProcess server, String job) throws Exception {
    String next = server.submit(JOB);
    server.awaitEnd(next);

    assertThat(server.decisions(next).get("prior/" + job))
        .startsWith("Job " + job + " of the same program and data reached logLoss ")
        .contains("that races first");
    assertThat(server.decisions(next).get("round-1/start")).contains("earlier job");
    var described = new StringBuilder();
    assertThat(server.espalier(described, "job", "describe", next)).isZero();
    assertThat(described).contains("prior").contains(job);
    isReplayed(server, next);
  }

  private static void isReplayed(ServerProcess server, String job) throws Exception {
    var said = new StringBuilder();
    assertThat(server.espalier(said, "job", "replay", job)).as("%s", said).isZero();
    assertThat(said.toString()).startsWith("Same ");
  }
}
