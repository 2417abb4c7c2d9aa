package dev.espalier.tuner.boot;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.sql.SQLException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Why a database cannot be used, in one sentence that says what to do about it.
final class DatabaseFailures {
  private DatabaseFailures() {}

  /// {@return the failure by its SQL state: `UNAUTHENTICATED` where user or password are refused,
  /// `INVALID_REQUEST` where there is no such database, `FORBIDDEN` where the user may not do what
  /// is needed, `WRONG_STATE` where tables are not as they were left, else `DATABASE_AWAY`}
  ///
  /// @param database how it is named in the sentence, such as `the database at
  ///   jdbc:postgresql://db/espalier`
  static EspalierException explain(String database, SQLException failure) {
    String state = Objects.requireNonNullElse(failure.getSQLState(), "");
    String said = " (" + firstLine(failure.getMessage()) + ")";
    if (state.startsWith("28")) {
      return of(
          ErrorCode.UNAUTHENTICATED,
          database
              + " does not let this server in"
              + said
              + "; check ESPALIER_DATABASE_USER and ESPALIER_DATABASE_PASSWORD",
          failure);
    }
    return switch (state) {
      case "3D000" ->
          of(
              ErrorCode.INVALID_REQUEST,
              database + " does not exist" + said + "; make it, with the user as its owner",
              failure);
      case "42501" ->
          of(
              ErrorCode.FORBIDDEN,
              database
                  + " does not allow its user what this server needs"
                  + said
                  + "; make the user its owner, or let it create tables in its schema",
              failure);
      default ->
          state.startsWith("42")
              ? of(
                  ErrorCode.WRONG_STATE,
                  database + " has not the tables that this server has left" + said,
                  failure)
              : of(ErrorCode.DATABASE_AWAY, database + cannot(state) + said, failure);
    };
  }

  /// Of the states only those of connections (class 08) say that there was no answer.
  private static String cannot(String state) {
    return state.isEmpty() || state.startsWith("08") ? " cannot be reached" : " cannot be used";
  }

  private static EspalierException of(ErrorCode code, String words, SQLException failure) {
    return new EspalierException(code, words, failure);
  }

  private static String firstLine(@Nullable String message) {
    return message == null ? "it does not say why" : message.lines().findFirst().orElse("");
  }
}
