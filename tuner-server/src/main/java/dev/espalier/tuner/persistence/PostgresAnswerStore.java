package dev.espalier.tuner.persistence;

import dev.espalier.tuner.app.port.AnswerStore;
import java.security.MessageDigest;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.jdbc.core.JdbcTemplate;

/// Kept answers, one row per key.
final class PostgresAnswerStore implements AnswerStore {
  private static final Duration LONGEST_REQUEST = Duration.ofMinutes(5);

  private final Transactions transactions;
  private final JdbcTemplate sql;
  private final DocumentCodec codec;

  PostgresAnswerStore(Transactions transactions, JdbcTemplate sql, DocumentCodec codec) {
    this.transactions = transactions;
    this.sql = sql;
    this.codec = codec;
  }

  @Override
  public Claim claim(
      String owner, String key, byte[] requestSha256, Instant now, Instant notBefore) {
    return transactions.write(() -> {
      sql.update("delete from idempotency_key where create_time < ?", Timestamp.from(notBefore));
      int inserted =
          sql.update(
              "insert into idempotency_key (owner, key, request_sha256, create_time)"
                  + " values (?, ?, ?, ?) on conflict do nothing",
              owner,
              key,
              requestSha256,
              Timestamp.from(now));
      if (inserted == 1 || takesOver(owner, key, requestSha256, now)) {
        return new Claim.Granted();
      }
      return sql
          .query(
              "select request_sha256, status, headers::text, body from idempotency_key"
                  + " where owner = ? and key = ?",
              (row, number) -> found(row, requestSha256),
              owner,
              key)
          .stream()
          .findFirst()
          .orElseGet(Claim.Running::new);
    });
  }

  /// A claim that could not be given back, for the database was away, must not last.
  private boolean takesOver(String owner, String key, byte[] requestSha256, Instant now) {
    return sql.update(
            "update idempotency_key set create_time = ?"
                + " where owner = ? and key = ? and request_sha256 = ? and status is null"
                + " and create_time < ?",
            Timestamp.from(now),
            owner,
            key,
            requestSha256,
            Timestamp.from(now.minus(LONGEST_REQUEST)))
        == 1;
  }

  @Override
  public void keep(String owner, String key, Answer answer) {
    transactions.write(() ->
        sql.update(
            "update idempotency_key set status = ?, headers = ?::json, body = ?"
                + " where owner = ? and key = ?",
            answer.status(),
            codec.writeTree(new LinkedHashMap<>(answer.headers())),
            answer.body(),
            owner,
            key));
  }

  @Override
  public void release(String owner, String key) {
    transactions.write(
        () -> sql.update("delete from idempotency_key where owner = ? and key = ?", owner, key));
  }

  @Override
  public void releaseRunning() {
    transactions.write(() -> sql.update("delete from idempotency_key where status is null"));
  }

  private Claim found(ResultSet row, byte[] requestSha256) throws SQLException {
    if (!MessageDigest.isEqual(row.getBytes(1), requestSha256)) {
      return new Claim.OtherRequest();
    }
    int status = row.getInt(2);
    if (row.wasNull()) {
      return new Claim.Running();
    }
    var headers = new LinkedHashMap<String, String>();
    for (Map.Entry<String, Object> header : codec.readTree(row.getString(3)).entrySet()) {
      headers.put(header.getKey(), String.valueOf(header.getValue()));
    }
    return new Claim.Answered(new Answer(status, headers, row.getBytes(4)));
  }
}
