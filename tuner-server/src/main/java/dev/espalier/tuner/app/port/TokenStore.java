package dev.espalier.tuner.app.port;

import dev.espalier.api.rest.TokenView;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// API tokens and the browser sessions made with them, by the SHA-256 of their secrets.
public interface TokenStore {
  /// {@return the new token, without its secret}
  TokenView create(String name, byte[] sha256);

  /// {@return all tokens, oldest first, revoked ones included}
  List<TokenView> tokens();

  /// {@return the valid token with this hash}
  Optional<TokenView> find(byte[] sha256);

  /// Remembers that the token was used.
  void touch(String id, Instant time);

  /// {@return whether there is a valid token with this hash, of which is remembered that it was
  /// used}
  default boolean use(byte[] sha256, Instant time) {
    Optional<TokenView> token = find(sha256);
    token.ifPresent(found -> touch(found.id(), time));
    return token.isPresent();
  }

  /// Ends a token and its sessions, unless no valid one would be left; nothing changes when it has
  /// ended already.
  Revocation revoke(String id);

  /// What came of it.
  enum Revocation {
    DONE,
    /// There is no such token.
    UNKNOWN,
    /// It is the last valid one, and stays.
    LAST
  }

  /// Remembers a browser session of a token.
  void putSession(byte[] sha256, String tokenId, Instant expireTime);

  /// {@return the valid token behind a session that has not expired at `now`}
  Optional<TokenView> findSession(byte[] sha256, Instant now);

  /// Ends a session; does nothing when there is none.
  void endSession(byte[] sha256);
}
