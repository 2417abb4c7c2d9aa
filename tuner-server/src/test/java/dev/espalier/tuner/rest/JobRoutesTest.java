package dev.espalier.tuner.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tuner.boot.TestServer;
import org.junit.jupiter.api.Test;

class JobRoutesTest {
  private final TestServer server = TestServer.get();

  @Test
  void submitAnswersWithTheJob() {
    var answer = server.post("/api/v1/jobs", "{\"name\":\"first\",\"program\":\"toy\"}");

    assertThat(answer.body()).contains("\"name\":\"first\"");
    assertThat(answer.status()).isEqualTo(201);
    assertThat(answer.header("location"))
        .isEqualTo("/api/v1/jobs/" + answer.json().get("id").asString());
    assertThat(answer.header("etag")).isEqualTo("\"1\"");
    assertThat(answer.json().get("state").asString()).isEqualTo("QUEUED");
  }
}
