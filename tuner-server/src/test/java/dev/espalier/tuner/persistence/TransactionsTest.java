package dev.espalier.tuner.persistence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.tuner.boot.TestServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.UncategorizedSQLException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.AbstractPlatformTransactionManager;
import org.springframework.transaction.support.DefaultTransactionStatus;

final class TransactionsTest {
  /// Transactions of nothing.
  @SuppressWarnings("serial") // nobody writes it
  private static final class NoDatabase extends AbstractPlatformTransactionManager {
    @Override
    protected Object doGetTransaction() {
      return new Object();
    }

    @Override
    protected void doBegin(Object transaction, TransactionDefinition definition) {}

    @Override
    protected void doCommit(DefaultTransactionStatus status) {}

    @Override
    protected void doRollback(DefaultTransactionStatus status) {}
  }

  @Test
  void readersTakeTurnsAndRunnersDoNotWaitForThem() throws Exception {
    var all = new Transactions(new NoDatabase());
    Transactions viewers = all.withReaders(1, Duration.ofMillis(50), Duration.ofMinutes(1));
    var entered = new CountDownLatch(1);
    var release = new CountDownLatch(1);
    CompletableFuture<Integer> slow =
        CompletableFuture.supplyAsync(() ->
            viewers.read(() -> {
              entered.countDown();
              try {
                release.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              return 1;
            }));
    entered.await();

    assertThatThrownBy(() -> viewers.read(() -> 2))
        .isInstanceOfSatisfying(
            EspalierException.class,
            refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.TOO_MANY_REQUESTS));
    assertThat(all.read(() -> 3)).isEqualTo(3);
    assertThat(viewers.write(() -> 4)).isEqualTo(4);
    release.countDown();
    assertThat(slow.get()).isEqualTo(1);
    assertThat(viewers.read(() -> viewers.read(() -> 5))).as("work within work").isEqualTo(5);
  }

  /// It is up, and whoever operates it must not be sent to look for it.
  @Test
  void aDatabaseOfWhichAllConnectionsAreInUseIsNotSaidToBeAway() throws Exception {
    TestServer server = TestServer.get();
    var all = new Transactions(server.bean(PlatformTransactionManager.class));
    var pool = server.bean(HikariDataSource.class);
    List<Connection> taken = new ArrayList<>();
    try {
      while (taken.size() < pool.getMaximumPoolSize()) {
        taken.add(pool.getConnection());
      }
      assertThatThrownBy(() -> all.read(() -> 1))
          .isInstanceOfSatisfying(
              EspalierException.class,
              refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.DATABASE_AWAY))
          .hasMessage("the database is asked too much at this moment: all connections are in use");
    } finally {
      for (Connection connection : taken) {
        connection.close();
      }
    }
    assertThat(all.read(() -> 2)).isEqualTo(2);
  }

  @Test
  void aDatabaseThatRefusesSaysWhy() {
    TestServer server = TestServer.get();
    var sql = server.bean(JdbcTemplate.class);
    var all = new Transactions(server.bean(PlatformTransactionManager.class));

    assertThatThrownBy(() -> all.read(() -> sql.update("delete from web_session")))
        .isInstanceOfSatisfying(
            EspalierException.class,
            refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.DATABASE_AWAY))
        .hasMessage("the database is read-only");
    assertThatThrownBy(() ->
            all.write(() -> {
              throw new UncategorizedSQLException(
                  "insert", null, new SQLException("No space left on device", "53100"));
            }))
        .hasMessage("the database has no room left on its disk");
  }

  @Test
  void whatReadsForTooLongIsCutOff() {
    TestServer server = TestServer.get();
    var sql = server.bean(JdbcTemplate.class);
    Transactions viewers =
        new Transactions(server.bean(PlatformTransactionManager.class))
            .withReaders(1, Duration.ofSeconds(1), Duration.ofSeconds(1));

    assertThatThrownBy(
            () -> viewers.read(() -> sql.queryForList("select pg_sleep(600)::text", String.class)))
        .isInstanceOfSatisfying(
            EspalierException.class,
            refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.TOO_MANY_REQUESTS))
        .hasMessageContaining("took longer than 1 s");
    assertThat(viewers.read(() -> 1)).isEqualTo(1);
  }

  /// Each of these may go well when it is asked again, so no job may fail for it.
  @ParameterizedTest
  @ValueSource(strings = {"40P01", "40001", "55P03", "57014", "57P01", "53100", "08006"})
  void whatMayGoWellTheNextTimeIsTheDatabasesFault(String state) {
    var all = new Transactions(new NoDatabase());

    assertThatThrownBy(() ->
            all.write(() -> {
              throw new UncategorizedSQLException("insert", null, new SQLException("", state));
            }))
        .isInstanceOfSatisfying(
            EspalierException.class,
            failure -> assertThat(failure.code()).isEqualTo(ErrorCode.DATABASE_AWAY));
  }

  @Test
  void whatFailsEachTimeIsTheWorksFault() {
    var all = new Transactions(new NoDatabase());
    var failure = new UncategorizedSQLException("insert", null, new SQLException("", "23505"));

    assertThatThrownBy(() ->
            all.write(() -> {
              throw failure;
            }))
        .isSameAs(failure);
  }
}
