package dev.espalier.tuner.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tuner.app.port.TokenStore;
import dev.espalier.tuner.app.port.TokenStore.Revocation;
import dev.espalier.tuner.boot.TestServer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;

/// In a schema of its own: the token of the server that all tests share must stay.
class PostgresTokenStoreTest {
  private final TestServer server = TestServer.get();
  private final JdbcTemplate all = server.bean(JdbcTemplate.class);

  /// Somebody may revoke a token that was never used; workers attach with theirs.
  @Test
  void tokenThatAWorkerShowsIsUsed() {
    TokenStore store = server.bean(TokenStore.class);
    byte[] sha256 = new byte[32];
    Arrays.fill(sha256, (byte) 7);
    String id = store.create("workers", sha256).id();
    Instant time = Instant.parse("2026-01-02T03:04:05Z");

    assertThat(store.use(sha256, time)).isTrue();
    assertThat(store.find(sha256).orElseThrow().lastUseTime()).isEqualTo(time);

    assertThat(store.revoke(id)).isEqualTo(Revocation.DONE);
    assertThat(store.use(sha256, time)).isFalse();
  }

  @Test
  void ofTwoTokensThatAreRevokedAtOnceOneStays() throws Exception {
    all.execute("drop schema if exists revoked cascade");
    all.execute("create schema revoked");
    for (String table : List.of("api_token", "web_session")) {
      all.execute("create table revoked." + table + " (like public." + table + " including all)");
    }
    var source = source("revoked");
    var sql = new JdbcTemplate(source);
    var store =
        new PostgresTokenStore(
            new Transactions(new JdbcTransactionManager(source)),
            server.bean(TokenRepository.class),
            sql,
            InstantSource.system());
    for (String id : List.of("tok_a", "tok_b")) {
      sql.update(
          "insert into api_token (token_id, name, secret_sha256, create_time)"
              + " values (?, ?, sha256(?::bytea), now())",
          id,
          id,
          id);
    }
    var together = new CyclicBarrier(2);
    List<Callable<Revocation>> people =
        List.of("tok_a", "tok_b").stream()
            .<Callable<Revocation>>map(id ->
                () -> {
                  together.await();
                  return store.revoke(id);
                })
            .toList();

    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      assertThat(threads.invokeAll(people).stream().map(answer -> answer.resultNow()).toList())
          .containsExactlyInAnyOrder(Revocation.DONE, Revocation.LAST);
    }

    List<String> left =
        sql.query(
            "select token_id from api_token where revoke_time is null",
            (row, number) -> row.getString(1));
    assertThat(left).hasSize(1);
    assertThat(store.revoke(left.getFirst())).isEqualTo(Revocation.LAST);
    assertThat(store.revoke("tok_c")).isEqualTo(Revocation.UNKNOWN);
  }

  private DriverManagerDataSource source(String schema) {
    var database = server.bean(JdbcConnectionDetails.class);
    return new DriverManagerDataSource(
        database.getJdbcUrl() + "?currentSchema=" + schema,
        database.getUsername(),
        database.getPassword());
  }
}
