package dev.espalier.tuner.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.tuner.app.port.JobQueries;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/// The database goes away under a running server, and comes back.
class DatabaseAwayTest {
  private final TestServer server = TestServer.get();

  @Test
  void requestsFailFastAndWorkAgainWhenItIsBack() {
    String job = server.newJob();
    var queries = server.bean(JobQueries.class);
    long start = System.nanoTime();

    ProcessHandle.current()
        .descendants()
        .filter(process -> process.info().command().orElse("").endsWith("/postgres"))
        .forEach(ProcessHandle::destroyForcibly);

    assertThatThrownBy(() -> queries.job(job))
        .isInstanceOfSatisfying(
            EspalierException.class,
            failure -> assertThat(failure.code()).isEqualTo(ErrorCode.DATABASE_AWAY));
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(8));
    Awaitility.await()
        .atMost(30, TimeUnit.SECONDS)
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(queries.job(job)).isPresent());
    assertThat(server.get("/api/v1/jobs/" + job).status()).isEqualTo(200);
  }
}
