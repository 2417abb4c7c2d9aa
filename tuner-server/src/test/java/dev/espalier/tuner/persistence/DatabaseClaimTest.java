package dev.espalier.tuner.persistence;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tuner.boot.TestServer;
import dev.espalier.tuner.persistence.DatabaseClaim.Standing;
import java.sql.SQLException;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.jdbc.core.JdbcTemplate;

class DatabaseClaimTest {
  private final JdbcConnectionDetails database = TestServer.get().bean(JdbcConnectionDetails.class);
  private final JdbcTemplate sql = TestServer.get().bean(JdbcTemplate.class);

  @Test
  void oneOfTwoHasADatabaseAndALostClaimIsMadeAnew() throws SQLException {
    sql.execute("create schema if not exists claimed");
    DatabaseClaim first = take("claimed").orElseThrow();

    assertThat(take("claimed")).isEmpty();
    assertThat(first.check()).isEqualTo(Standing.HELD);

    int broken = first.backend();
    end(broken);
    assertThat(first.check()).isEqualTo(Standing.HELD);
    assertThat(first.backend()).isNotEqualTo(broken);

    end(first.backend());
    DatabaseClaim second = take("claimed").orElseThrow();
    assertThat(first.check()).isEqualTo(Standing.TAKEN);
    second.close();
    // The database ends a connection that was closed in its own time.
    Awaitility.await().until(() -> first.check() == Standing.HELD);
    first.close();
    take("claimed").orElseThrow().close();
  }

  private Optional<DatabaseClaim> take(String schema) throws SQLException {
    return DatabaseClaim.take(
        database.getJdbcUrl() + "?currentSchema=" + schema,
        database.getUsername(),
        database.getPassword());
  }

  /// Returns when the process is gone.
  private void end(int backend) {
    sql.queryForObject("select pg_terminate_backend(?, 10000)", Boolean.class, backend);
  }
}
