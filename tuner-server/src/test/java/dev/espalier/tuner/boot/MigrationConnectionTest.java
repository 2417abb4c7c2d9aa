package dev.espalier.tuner.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;

/// A migration that moves gigabytes takes longer than any query may.
final class MigrationConnectionTest {
  private final TestServer server = TestServer.get();

  @Test
  void aMigrationMayTakeAsLongAsItTakesAndAQueryMayNot() throws SQLException {
    DataSource migrations = server.bean(Flyway.class).getConfiguration().getDataSource();

    assertThat(timeout(migrations)).isZero();
    assertThat(timeout(server.bean(DataSource.class))).isEqualTo(30_000);
  }

  private static int timeout(DataSource source) throws SQLException {
    try (Connection connection = source.getConnection()) {
      return connection.getNetworkTimeout();
    }
  }
}
