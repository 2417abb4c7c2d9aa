package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.TokenView;
import dev.espalier.tuner.app.port.TokenStore;
import dev.espalier.tuner.app.port.TokenStore.Revocation;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/// Knows who a secret belongs to.
///
/// What the store said is remembered for some seconds, so that a viewer that polls does not cost a
/// query per request; revoking a token forgets all of it at once.
final class Authenticator {
  static final Duration SESSION_LENGTH = Duration.ofHours(12);
  static final Duration CODE_LENGTH = Duration.ofMinutes(5);
  private static final Duration REMEMBERED = Duration.ofSeconds(15);
  private static final Duration TOUCH_EVERY = Duration.ofMinutes(1);
  private static final int MAX_REMEMBERED = 10_000;
  private static final int MAX_CODES = 1_000;

  private final TokenStore tokens;
  private final InstantSource clock;
  private final Map<String, Known> known = new ConcurrentHashMap<>();

  /// How often something has ended that may be remembered.
  private final AtomicLong endings = new AtomicLong();

  private final Map<String, Instant> touched = new ConcurrentHashMap<>();
  private final Map<String, Code> codes = new ConcurrentHashMap<>();

  Authenticator(TokenStore tokens, InstantSource clock) {
    this.tokens = tokens;
    this.clock = clock;
  }

  /// {@return the caller behind a token, or empty for a wrong or revoked one}
  Optional<Caller> byToken(String secret) {
    return find("token", TokenSecret.of(secret), tokens::find).map(token -> caller(token, false));
  }

  /// {@return the caller behind a browser's session, or empty}
  Optional<Caller> bySession(String secret) {
    return find(
            "session", TokenSecret.of(secret), hash -> tokens.findSession(hash, clock.instant()))
        .map(token -> caller(token, true));
  }

  /// {@return a code that signs one browser in, once and soon}
  SignInCode newCode(Caller caller) {
    Instant now = clock.instant();
    codes.values().removeIf(code -> code.expireTime.isBefore(now));
    if (codes.size() >= MAX_CODES) {
      codes.clear();
    }
    TokenSecret secret = TokenSecret.random();
    Instant expireTime = now.plus(CODE_LENGTH);
    codes.put(key("code", secret), new Code(caller.tokenId(), expireTime));
    return new SignInCode(secret.text(), "/sign-in?code=" + secret.text(), expireTime);
  }

  /// {@return the secret of a new session, or empty for a code that is wrong, old or used}
  ///
  /// @throws EspalierException when the session cannot be stored; the code is good for another try
  Optional<TokenSecret> signIn(String code) {
    String key = key("code", TokenSecret.of(code));
    Code found = codes.remove(key);
    Instant now = clock.instant();
    if (found == null || found.expireTime.isBefore(now)) {
      return Optional.empty();
    }
    TokenSecret session = TokenSecret.random();
    try {
      tokens.putSession(session.sha256(), found.tokenId, now.plus(SESSION_LENGTH));
    } catch (EspalierException notStored) {
      codes.put(key, found);
      throw notStored;
    }
    return Optional.of(session);
  }

  void signOut(String secret) {
    TokenSecret session = TokenSecret.of(secret);
    tokens.endSession(session.sha256());
    endings.incrementAndGet();
    known.remove(key("session", session));
  }

  /// {@return whether somebody who was let in may stay}
  ///
  /// While nobody can look it up, everybody may: without the database nothing is revoked either.
  ///
  /// @param session of a caller that came by one
  boolean admits(Caller caller, String session) {
    try {
      return caller.viaSession() ? bySession(session).isPresent() : isValid(caller.tokenId());
    } catch (EspalierException unknown) {
      if (unknown.code() != ErrorCode.DATABASE_AWAY
          && unknown.code() != ErrorCode.TOO_MANY_REQUESTS) {
        throw unknown;
      }
      return true;
    }
  }

  private boolean isValid(String tokenId) {
    return tokens.tokens().stream()
        .anyMatch(token -> token.id().equals(tokenId) && token.revokeTime() == null);
  }

  /// Ends a token and all that was made with it.
  Revocation revoke(String tokenId) {
    Revocation answer = tokens.revoke(tokenId);
    if (answer != Revocation.LAST) {
      codes.values().removeIf(code -> code.tokenId.equals(tokenId));
      endings.incrementAndGet();
      known.clear();
    }
    return answer;
  }

  private Optional<TokenView> find(
      String kind, TokenSecret secret, Function<byte[], Optional<TokenView>> lookup) {
    Instant now = clock.instant();
    String key = key(kind, secret);
    Known cached = known.get(key);
    if (cached != null && now.isBefore(cached.until)) {
      return Optional.of(cached.token);
    }
    long before = endings.get();
    Optional<TokenView> token = lookup.apply(secret.sha256());
    if (known.size() >= MAX_REMEMBERED) {
      known.clear();
    }
    token.ifPresent(found -> known.put(key, new Known(found, now.plus(REMEMBERED))));
    if (endings.get() != before) {
      // What was read may have ended since, before it was remembered.
      known.remove(key);
    }
    return token;
  }

  private Caller caller(TokenView token, boolean viaSession) {
    Instant now = clock.instant();
    Instant before = touched.get(token.id());
    if (before == null || before.plus(TOUCH_EVERY).isBefore(now)) {
      touched.put(token.id(), now);
      tokens.touch(token.id(), now);
    }
    return new Caller(token.id(), token.name(), viaSession);
  }

  private static String key(String kind, TokenSecret secret) {
    return kind + Base64.getEncoder().encodeToString(secret.sha256());
  }

  private record Known(TokenView token, Instant until) {}

  private record Code(String tokenId, Instant expireTime) {}

  /// A code that signs one browser in.
  ///
  /// @param path to open in the browser, below the server's address
  record SignInCode(String code, String path, Instant expireTime) {}
}
