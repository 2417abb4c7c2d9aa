package dev.espalier.tuner.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.EspalierException;
import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.boot.TestServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/// Six viewers read, and cannot go on.
final class ReadersTest {
  private final TestServer server = TestServer.get();
  private final JobQueries queries = server.bean(JobQueries.class);
  private final JdbcTemplate sql = server.bean(JdbcTemplate.class);

  /// Whoever asks something of a job is answered how it stands then.
  @Test
  void aJobIsLookedUpHoweverMuchIsRead() {
    String job = server.newJob();
    var viewers = new ArrayList<CompletableFuture<Void>>();
    new TransactionTemplate(server.bean(PlatformTransactionManager.class))
        .executeWithoutResult(_ -> {
          sql.execute("lock table round in access exclusive mode");
          IntStream.range(0, 6).forEach(_ -> viewers.add(viewer(job)));
          Awaitility.await().atMost(Duration.ofSeconds(8)).until(() -> waiting() == 6);

          assertThat(elsewhere(() -> queries.job(job).isPresent())).isTrue();
          assertThat(elsewhere(() -> queries.snapshot(job, 1).isEmpty())).isTrue();
        });
    viewers.forEach(CompletableFuture::join);
  }

  /// In a transaction of its own.
  private static boolean elsewhere(Supplier<Boolean> work) {
    return CompletableFuture.supplyAsync(work, task -> Thread.startVirtualThread(task))
        .orTimeout(3, TimeUnit.SECONDS)
        .join();
  }

  private CompletableFuture<Void> viewer(String job) {
    return CompletableFuture.runAsync(
        () -> {
          try {
            queries.rounds(job, 50, null);
          } catch (EspalierException tooLong) {
            // The machine is slow: it has read for as long as it may.
          }
        },
        task -> Thread.startVirtualThread(task));
  }

  private long waiting() {
    return sql.queryForList(
            "select 1 from pg_stat_activity"
                + " where wait_event_type = 'Lock' and datname = current_database()")
        .size();
  }
}
