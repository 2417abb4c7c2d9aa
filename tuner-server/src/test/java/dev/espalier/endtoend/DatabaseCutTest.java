package dev.espalier.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.tuner.persistence.EmbeddedPostgres;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// A server on an outside database that goes away in the middle of a job.
@Timeout(240)
class DatabaseCutTest {
  private static final String JOB =
      """
      program: mlp
      seed: 7
      arguments: { hidden: [64] }
      tuning: { policy: fixed, setting: { learningRate: 0.02, batchSize: 32 } }
      stop: { maxEpochs: 16 }
      time: { model: { perClockSeconds: 0.0002, perSampleSeconds: 7.0e-6 } }
      """;

  @TempDir Path folder;

  @Test
  void trainingGoesOnWithoutTheDatabaseAndTheLogCatchesUp() throws Exception {
    Path home = Files.createDirectories(folder.resolve("home"));
    try (EmbeddedPostgres postgres = EmbeddedPostgres.start(folder.resolve("postgres"));
        var proxy = new CuttableProxy(URI.create(postgres.url().substring(5)).getPort());
        ServerProcess server =
            ServerProcess.start(
                home,
                "--espalier.database.url=jdbc:postgresql://127.0.0.1:"
                    + proxy.port()
                    + URI.create(postgres.url().substring(5)).getPath(),
                "--espalier.database.user=" + postgres.user(),
                "--espalier.database.password=" + postgres.password())) {
      String job = server.submit(JOB);
      server.await(
          job, "training", Duration.ofSeconds(60), j -> j.path("mainlineClock").asLong() > 50);

      proxy.cut();
      assertThatThrownBy(() -> server.job(job)).hasMessageContaining("DATABASE_AWAY");
      HttpResponse<String> refusal = server.ask(job, "pause");
      assertThat(refusal.statusCode()).isEqualTo(503);
      assertThat(refusal.headers().firstValue("Retry-After")).isPresent();
      boolean alone = false;
      for (int i = 0; i < 300 && !alone; i++) {
        Thread.sleep(100);
        alone = server.logs(job).contains("goes on from");
      }
      proxy.mend();
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .ignoreExceptions()
          .until(() -> !server.job(job).isEmpty());

      JsonNode end = server.awaitEnd(job);
      assertThat(alone).as("workers went on alone").isTrue();
      assertThat(end.path("state").asString()).isEqualTo("COMPLETED");
      assertThat(end.path("generation").asInt()).isEqualTo(1);
      assertThat(end.path("epoch").asDouble()).isEqualTo(16);
      assertThat(server.decisions(job)).containsKey("end");
      assertThat(server.decisions(job).keySet())
          .as("what was refused was not done")
          .noneMatch(key -> key.startsWith("request"));
      assertThat(server.output()).contains("the log has caught up");
    }
  }
}
