package dev.espalier.tuner.boot;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.jdbc.core.JdbcTemplate;

/// What a real database says, told apart by what is to be done about it.
class DatabaseFailuresTest {
  private final JdbcTemplate sql = TestServer.get().bean(JdbcTemplate.class);
  private final String url =
      requireNonNull(TestServer.get().bean(JdbcConnectionDetails.class).getJdbcUrl());

  @BeforeEach
  void makeUser() {
    sql.execute("create role guest login password 'secret'");
  }

  @AfterEach
  void dropUser() {
    sql.execute("drop role guest");
  }

  @Test
  void eachFailureSaysWhatToDo() {
    is(
        explained(url, "guest", "wrong", "select 1"),
        ErrorCode.UNAUTHENTICATED,
        "does not let this server in (FATAL: password authentication failed for user \"guest\")",
        "check ESPALIER_DATABASE_USER and ESPALIER_DATABASE_PASSWORD");
    is(
        explained(url.replaceFirst("/[^/]*$", "/none"), "guest", "secret", "select 1"),
        ErrorCode.INVALID_REQUEST,
        "does not exist (FATAL: database \"none\" does not exist)",
        "make it, with the user as its owner");
    is(
        explained(url, "guest", "secret", "create table a (b int)"),
        ErrorCode.FORBIDDEN,
        "permission denied for schema public",
        "make the user its owner");
    is(
        explained(url, "guest", "secret", "select of_nothing"),
        ErrorCode.WRONG_STATE,
        "has not the tables that this server has left");
    is(
        explained("jdbc:postgresql://127.0.0.1:1/x", "guest", "secret", "select 1"),
        ErrorCode.DATABASE_AWAY,
        "cannot be reached");
    is(
        DatabaseFailures.explain("the database", new SQLException("too many clients", "53300")),
        ErrorCode.DATABASE_AWAY,
        "cannot be used (too many clients)");
  }

  private static void is(EspalierException failure, ErrorCode code, String... words) {
    assertThat(failure.code()).isEqualTo(code);
    assertThat(failure)
        .hasMessageStartingWith("the database ")
        .message()
        .contains(words)
        .doesNotContain("secret");
  }

  private static EspalierException explained(
      String url, String user, String password, String statement) {
    try (var connection = DriverManager.getConnection(url, user, password);
        var running = connection.createStatement()) {
      running.execute(statement);
      throw new AssertionError("went well: " + statement);
    } catch (SQLException failure) {
      return DatabaseFailures.explain("the database", failure);
    }
  }
}
