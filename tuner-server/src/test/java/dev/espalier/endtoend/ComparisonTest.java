package dev.espalier.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Jobs of real workers are compared, replayed, and billed, by the command line.
@Timeout(280)
final class ComparisonTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private static final String JOB =
      """
      name: compared
      program: logreg
      workers: 1
      seed: 3
      tunables:
        learningRate: { type: log, min: 1.0e-3, max: 1 }
        batchSize: { type: choice, values: [64, 128] }
      tuning: { policy: mltuner, searcher: random, probeClocks: 5, maxTrials: 4, runs: { max: 3 } }
      stop: { maxEpochs: 2 }
      time: { model: { perClockSeconds: 0.001, perSampleSeconds: 1.0e-5 } }
      """;

  @TempDir private Path folder;

  @Test
  void policiesAreComparedReplayedAndBilled() throws Exception {
    Path file = Files.writeString(folder.resolve("job.yaml"), JOB);
    try (var server = ServerProcess.start(folder)) {
      var compared = new StringBuilder();
      int status =
          server.espalier(
              compared,
              "job",
              "compare",
              file.toString(),
              "--policies",
              "racing,asha",
              "--parallel",
              "2",
              "-o",
              "json");

      assertThat(status).as("%s", compared).isZero();
      // Its progress came before, on the other stream.
      assertThat(compared.toString()).startsWith("Running ");
      JsonNode outcome = JSON.readTree(compared.substring(compared.indexOf("{")));
      assertThat(outcome.path("metric").asString()).isEqualTo("logLoss");
      for (JsonNode policy : outcome.path("policies")) {
        assertThat(policy.path("secondsToCommon").asDouble()).as("%s", outcome).isPositive();
        String job = policy.path("jobs").path(0).path("id").asString();
        assertReplayed(server, job);
        assertBilled(server, job);
      }
    }
  }

  private void assertReplayed(ServerProcess server, String job) throws Exception {
    Path saved = folder.resolve(job + ".ndjson");
    var said = new StringBuilder();
    assertThat(server.espalier(said, "job", "replay", job, "--save", saved.toString()))
        .as("%s", said)
        .isZero();
    assertThat(said.toString()).startsWith("Same ").contains(" decisions from ");

    String changed = Files.readString(saved).replaceFirst("\"rule\":\"", "\"rule\":\"not.");
    Path other = Files.writeString(folder.resolve("other.ndjson"), changed);
    var difference = new StringBuilder();
    assertThat(server.espalier(difference, "job", "replay", other.toString())).isEqualTo(10);
    assertThat(difference.toString()).contains("differs in rule");
  }

  private static void assertBilled(ServerProcess server, String job) throws Exception {
    JsonNode bill = server.get("/jobs/" + job + "/bill");
    assertThat(bill.path("settings").asInt()).isGreaterThan(1);
    assertThat(bill.path("lowSeconds").asDouble())
        .isPositive()
        .isLessThanOrEqualTo(bill.path("seconds").asDouble());
    assertThat(bill.path("highSeconds").asDouble())
        .isGreaterThanOrEqualTo(bill.path("seconds").asDouble());
    var said = new StringBuilder();
    assertThat(server.espalier(said, "job", "describe", job)).isZero();
    assertThat(said.toString()).contains("random search");
  }
}
