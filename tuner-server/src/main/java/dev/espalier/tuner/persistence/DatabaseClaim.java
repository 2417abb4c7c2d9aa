package dev.espalier.tuner.persistence;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A server's claim to its database: of several servers on one database only one may run its jobs.
///
/// It is an advisory lock of a connection of its own, so it ends with its process, however that
/// ends. When the connection breaks it is made anew. Databases with several schemas have a claim
/// for each.
public final class DatabaseClaim implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DatabaseClaim.class);
  private static final Duration LOOK_EVERY = Duration.ofSeconds(5);
  private static final int ALIVE_SECONDS = 2;

  /// A server that is ending may still have it.
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  private static final Duration TRY_EVERY = Duration.ofMillis(200);

  /// Longer than the database takes to find out that our broken connection is gone: 25 s.
  private static final Duration OWN_GHOST = Duration.ofSeconds(60);

  /// The database looks after 10 s without a word, three times, whether a machine is still there.
  private static final String NOTICE_THE_DEAD =
      "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3";

  private static final String TRY_LOCK =
      "select pg_try_advisory_lock("
          + "hashtextextended('espalier ' || coalesce(current_schema(), ''), 0))";

  private final String url;
  private final Properties properties;

  // Guarded by this.
  private @Nullable Connection connection;
  private boolean isClosed;

  private DatabaseClaim(String url, Properties properties) {
    this.url = url;
    this.properties = properties;
  }

  /// How a claim stands.
  enum Standing {
    HELD,
    /// The database cannot be reached.
    AWAY,
    /// Another connection has it; for a while that may be a broken one of ours.
    TAKEN
  }

  /// Claims a database for this server.
  ///
  /// @param url JDBC URL
  /// @return empty when another server has it
  /// @throws SQLException when it cannot be reached
  public static Optional<DatabaseClaim> take(
      String url, @Nullable String user, @Nullable String password) throws SQLException {
    var properties = new Properties();
    if (user != null) {
      properties.setProperty("user", user);
    }
    if (password != null) {
      properties.setProperty("password", password);
    }
    properties.setProperty("connectTimeout", "2");
    properties.setProperty("socketTimeout", "10");
    properties.setProperty("tcpKeepAlive", "true");
    properties.setProperty("ApplicationName", "espalier claim");
    var claim = new DatabaseClaim(url, properties);
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!claim.claim()) {
      if (System.nanoTime() > end || !sleep(TRY_EVERY)) {
        return Optional.empty();
      }
    }
    return Optional.of(claim);
  }

  /// Looks after the claim from now on, on a thread of its own.
  ///
  /// @param onTaken runs when another server has it for good
  public void watch(Runnable onTaken) {
    Thread.ofVirtual().name("database-claim").start(() -> look(onTaken));
  }

  private void look(Runnable onTaken) {
    long takenSince = 0;
    while (sleep(LOOK_EVERY) && !isClosed()) {
      if (check() != Standing.TAKEN) {
        takenSince = 0;
      } else if (takenSince == 0) {
        takenSince = System.nanoTime();
      } else if (System.nanoTime() - takenSince > OWN_GHOST.toNanos()) {
        onTaken.run();
        return;
      }
    }
  }

  /// Makes the claim anew if its connection has broken.
  synchronized Standing check() {
    if (isClosed || isAlive()) {
      return Standing.HELD;
    }
    disconnect();
    try {
      if (claim()) {
        LOG.info("event=database-claimed-again");
        return Standing.HELD;
      }
      LOG.warn("event=database-claim-taken action=try-again");
      return Standing.TAKEN;
    } catch (SQLException away) {
      LOG.debug("event=database-claim-away message={}", away.getMessage());
      return Standing.AWAY;
    }
  }

  private synchronized boolean claim() throws SQLException {
    var fresh = DriverManager.getConnection(url, properties);
    boolean has = false;
    try (var statement = fresh.createStatement()) {
      statement.execute(NOTICE_THE_DEAD);
      try (var answer = statement.executeQuery(TRY_LOCK)) {
        has = answer.next() && answer.getBoolean(1);
      }
    } finally {
      if (has) {
        connection = fresh;
      } else {
        fresh.close();
      }
    }
    return has;
  }

  private boolean isAlive() {
    try {
      return connection != null && connection.isValid(ALIVE_SECONDS);
    } catch (SQLException _) {
      return false;
    }
  }

  private synchronized boolean isClosed() {
    return isClosed;
  }

  /// {@return the number of the database's process that has the claim}
  synchronized int backend() throws SQLException {
    if (connection == null) {
      return 0;
    }
    try (var statement = connection.createStatement();
        var answer = statement.executeQuery("select pg_backend_pid()")) {
      return answer.next() ? answer.getInt(1) : 0;
    }
  }

  private void disconnect() {
    if (connection != null) {
      try {
        connection.close();
      } catch (SQLException e) {
        LOG.debug("event=database-claim-close message={}", e.getMessage());
      }
      connection = null;
    }
  }

  @Override
  public synchronized void close() {
    isClosed = true;
    disconnect();
  }

  private static boolean sleep(Duration time) {
    try {
      Thread.sleep(time);
      return true;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
