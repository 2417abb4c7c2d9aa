package dev.espalier.tuner.persistence;

import dev.espalier.api.rest.TokenView;
import dev.espalier.tuner.app.port.TokenStore;
import java.security.SecureRandom;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.springframework.jdbc.core.JdbcTemplate;

/// Tokens and browser sessions.
final class PostgresTokenStore implements TokenStore {
  private final Transactions transactions;
  private final TokenRepository tokens;
  private final JdbcTemplate sql;
  private final InstantSource clock;
  private final SecureRandom random = new SecureRandom();

  PostgresTokenStore(
      Transactions transactions, TokenRepository tokens, JdbcTemplate sql, InstantSource clock) {
    this.transactions = transactions;
    this.tokens = tokens;
    this.sql = sql;
    this.clock = clock;
  }

  @Override
  public TokenView create(String name, byte[] sha256) {
    byte[] id = new byte[8];
    random.nextBytes(id);
    Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
    return transactions.write(() ->
        tokens
            .save(new TokenEntity("tok_" + HexFormat.of().formatHex(id), name, sha256, now))
            .view());
  }

  @Override
  public List<TokenView> tokens() {
    return transactions.read(
        () -> tokens.findAllByOrderByCreateTimeAscIdAsc().stream().map(TokenEntity::view).toList());
  }

  @Override
  public Optional<TokenView> find(byte[] sha256) {
    return transactions.read(
        () -> tokens.findBySha256AndRevokeTimeIsNull(sha256).map(TokenEntity::view));
  }

  @Override
  public void touch(String id, Instant time) {
    transactions.write(() ->
        sql.update(
            "update api_token set last_use_time = ? where token_id = ?", Timestamp.from(time), id));
  }

  @Override
  public Revocation revoke(String id) {
    return transactions.write(() -> {
      // Locked, so of two that come together the second one sees what the first one leaves.
      List<String> valid =
          sql.query(
              "select token_id from api_token where revoke_time is null order by token_id"
                  + " for update",
              (row, number) -> row.getString(1));
      if (!valid.contains(id)) {
        return tokens.existsById(id) ? Revocation.DONE : Revocation.UNKNOWN;
      }
      if (valid.size() == 1) {
        return Revocation.LAST;
      }
      sql.update(
          "update api_token set revoke_time = ? where token_id = ?",
          Timestamp.from(clock.instant().truncatedTo(ChronoUnit.MICROS)),
          id);
      sql.update("delete from web_session where token_id = ?", id);
      return Revocation.DONE;
    });
  }

  @Override
  public void putSession(byte[] sha256, String tokenId, Instant expireTime) {
    Instant now = clock.instant();
    transactions.write(() -> {
      sql.update("delete from web_session where expire_time < ?", Timestamp.from(now));
      sql.update(
          "insert into web_session (secret_sha256, token_id, create_time, expire_time)"
              + " values (?, ?, ?, ?)",
          sha256,
          tokenId,
          Timestamp.from(now),
          Timestamp.from(expireTime));
    });
  }

  @Override
  public Optional<TokenView> findSession(byte[] sha256, Instant now) {
    return transactions.read(() ->
        sql
            .query(
                "select token_id from web_session where secret_sha256 = ? and expire_time > ?",
                (row, number) -> row.getString(1),
                sha256,
                Timestamp.from(now))
            .stream()
            .findFirst()
            .flatMap(tokens::findById)
            .filter(token -> token.revokeTime == null)
            .map(TokenEntity::view));
  }

  @Override
  public void endSession(byte[] sha256) {
    transactions.write(() -> sql.update("delete from web_session where secret_sha256 = ?", sha256));
  }
}
