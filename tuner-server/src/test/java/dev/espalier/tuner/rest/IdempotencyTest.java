package dev.espalier.tuner.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tuner.app.port.AnswerStore;
import dev.espalier.tuner.app.port.AnswerStore.Claim;
import dev.espalier.tuner.boot.TestServer;
import dev.espalier.tuner.boot.TestServer.Answer;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;

class IdempotencyTest {
  private static final String JOB = "{\"program\":\"toy\"}";
  private static final TestServer server = TestServer.get();
  private final String key = UUID.randomUUID().toString();

  @Test
  void repeatedRequestGetsTheSameAnswer() {
    Answer first = submit(JOB);
    Answer second = submit(JOB);

    assertThat(first.status()).isEqualTo(201);
    assertThat(second.status()).isEqualTo(201);
    assertThat(second.body()).isEqualTo(first.body());
    assertThat(second.header("location")).isEqualTo(first.header("location"));
    assertThat(second.header("etag")).isEqualTo(first.header("etag"));
    assertThat(second.header("idempotent-replayed")).isEqualTo("true");
    assertThat(first.header("idempotent-replayed")).isEmpty();
  }

  @Test
  void otherBodyWithTheSameKeyIs422() {
    submit(JOB);

    Answer other = submit("{\"program\":\"toy\",\"seed\":2}");

    assertThat(other.status()).isEqualTo(422);
    assertThat(other.json().get("code").asString()).isEqualTo("KEY_REUSED");
  }

  @Test
  void badRequestIsAnsweredTheSameAgain() {
    assertThat(submit("{}").status()).isEqualTo(422);
    Answer again = submit("{}");

    assertThat(again.status()).isEqualTo(422);
    assertThat(again.header("content-type")).isEqualTo("application/problem+json");
    assertThat(again.header("idempotent-replayed")).isEqualTo("true");
  }

  @Test
  void requestWhileTheFirstOneRunsIs409() throws Exception {
    RecordingJobService service = server.bean(RecordingJobService.class);
    var entered = new CountDownLatch(1);
    var release = new CountDownLatch(1);
    service.onSubmit(() -> {
      entered.countDown();
      try {
        release.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    });
    try {
      CompletableFuture<Answer> first = CompletableFuture.supplyAsync(() -> submit(JOB));
      entered.await();
      Answer meanwhile = submit(JOB);
      release.countDown();

      assertThat(meanwhile.status()).isEqualTo(409);
      assertThat(meanwhile.json().get("code").asString()).isEqualTo("REQUEST_IN_PROGRESS");
      assertThat(meanwhile.header("retry-after")).isNotEmpty();
      assertThat(first.get().status()).isEqualTo(201);
    } finally {
      release.countDown();
      service.onSubmit(() -> {});
    }
  }

  @Test
  void failureOfTheServerMayBeTriedAgain() {
    RecordingJobService service = server.bean(RecordingJobService.class);
    service.onSubmit(() -> {
      throw new IllegalStateException("once");
    });
    try {
      assertThat(submit(JOB).status()).isEqualTo(500);
    } finally {
      service.onSubmit(() -> {});
    }

    assertThat(submit(JOB).status()).isEqualTo(201);
  }

  @Test
  void aJobWhoseAnswerWasLostIsNotMadeTwice() {
    RecordingJobService service = server.bean(RecordingJobService.class);
    service.afterSubmit(() -> {
      throw new IllegalStateException("the answer is lost");
    });
    int before = count();
    try {
      assertThat(submit(JOB).status()).isEqualTo(500);
    } finally {
      service.afterSubmit(() -> {});
    }

    Answer again = submit(JOB);

    assertThat(again.status()).isEqualTo(201);
    assertThat(count()).isEqualTo(before + 1);
    assertThat(server.post("/api/v1/jobs", JOB, "Idempotency-Key", key + "b").json().get("id"))
        .isNotEqualTo(again.json().get("id"));
  }

  /// The answer would come to nothing, and the request with it, if it were worked on again.
  @Test
  void anAnswerThatCannotBeKeptIsSentAndTheRequestNotRepeated() {
    JdbcTemplate sql = server.bean(JdbcTemplate.class);
    sql.execute(
        "create function no_room() returns trigger language plpgsql as"
            + " $$ begin raise exception 'no room' using errcode = '53100'; end $$");
    sql.execute(
        "create trigger no_room before update on idempotency_key for each row when (new.key = '"
            + key
            + "') execute function no_room()");
    int before = count();
    try {
      assertThat(submit(JOB).status()).isEqualTo(201);
    } finally {
      sql.execute("drop function no_room() cascade");
    }

    assertThat(submit(JOB).json().get("code").asString()).isEqualTo("REQUEST_IN_PROGRESS");
    assertThat(count()).isEqualTo(before + 1);
  }

  private static int count() {
    return server
        .bean(JdbcTemplate.class)
        .queryForObject("select count(*) from job", Integer.class);
  }

  @Test
  void aClaimThatWasNeverGivenBackDoesNotLast() {
    AnswerStore answers = server.bean(AnswerStore.class);
    byte[] hash = new byte[32];
    Instant now = Instant.now();
    Instant day = now.minus(Duration.ofDays(1));
    assertThat(answers.claim("me", key, hash, now, day)).isInstanceOf(Claim.Granted.class);
    assertThat(answers.claim("me", key, hash, now.plusSeconds(60), day))
        .isInstanceOf(Claim.Running.class);
    assertThat(answers.claim("me", key, hash, now.plusSeconds(301), day))
        .isInstanceOf(Claim.Granted.class);
  }

  @Test
  void strangeKeyIs400() {
    assertThat(server.post("/api/v1/jobs", JOB, "Idempotency-Key", "x".repeat(256)).status())
        .isEqualTo(400);
  }

  private Answer submit(String body) {
    return server.post("/api/v1/jobs", body, "Idempotency-Key", key);
  }
}
