package dev.espalier.tuner.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.TokenView;
import dev.espalier.tuner.app.port.TokenStore;
import dev.espalier.tuner.boot.TestServer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.mock.web.MockHttpServletRequest;

class AuthenticatorTest {
  private final Interrupted tokens = new Interrupted(TestServer.get().bean(TokenStore.class));
  private final Authenticator authenticator = new Authenticator(tokens, InstantSource.system());

  @Test
  void aTokenThatIsRevokedWhileItIsLookedUpIsNotRemembered() {
    TokenSecret secret = TokenSecret.random();
    TokenView token = tokens.create("revoked", secret.sha256());
    tokens.afterReading.add(() -> authenticator.revoke(token.id()));

    assertThat(authenticator.byToken(secret.text())).as("it was valid when asked").isPresent();
    assertThat(authenticator.byToken(secret.text())).isEmpty();
  }

  @Test
  void aSessionThatEndsWhileItIsLookedUpIsNotRemembered() {
    TokenView token = tokens.create("signed-in", TokenSecret.random().sha256());
    String code = authenticator.newCode(new Caller(token.id(), "signed-in", false)).code();
    TokenSecret session = authenticator.signIn(code).orElseThrow();
    tokens.afterReading.add(() -> authenticator.signOut(session.text()));

    assertThat(authenticator.bySession(session.text())).isPresent();
    assertThat(authenticator.bySession(session.text())).isEmpty();
    authenticator.revoke(token.id());
  }

  @Test
  void whoWasLetInStaysWhileTheDatabaseIsAway() {
    TokenView token = tokens.create("viewer", TokenSecret.random().sha256());
    var viewer = new Caller(token.id(), "viewer", true);
    String code = authenticator.newCode(viewer).code();
    TokenSecret session = authenticator.signIn(code).orElseThrow();
    tokens.afterReading.add(() -> {
      throw new EspalierException(ErrorCode.DATABASE_AWAY, "away");
    });

    assertThat(authenticator.admits(viewer, session.text())).isTrue();
    authenticator.signOut(session.text());
    assertThat(authenticator.admits(viewer, session.text())).isFalse();
    authenticator.revoke(token.id());
  }

  @Test
  void aSignInThatCannotBeStoredUsesUpNoCode() {
    TokenView token = tokens.create("late", TokenSecret.random().sha256());
    String code = authenticator.newCode(new Caller(token.id(), "late", false)).code();
    tokens.beforeWriting.add(() -> {
      throw new EspalierException(ErrorCode.DATABASE_AWAY, "away");
    });

    assertThatThrownBy(() -> authenticator.signIn(code)).hasMessage("away");
    assertThat(authenticator.signIn(code)).isPresent();
    assertThat(authenticator.signIn(code)).as("it is used up now").isEmpty();
    authenticator.revoke(token.id());
  }

  @Test
  void whoCannotSignInNowIsToldWhyAndMayTryAgain() {
    TokenView token = tokens.create("patient", TokenSecret.random().sha256());
    String code = authenticator.newCode(new Caller(token.id(), "patient", false)).code();
    tokens.beforeWriting.add(() -> {
      throw new EspalierException(ErrorCode.DATABASE_AWAY, "no space left on <device>");
    });
    var door = new SignInController(authenticator, new RateLimits(1, 1, Duration.ofMinutes(1)));
    var request = new MockHttpServletRequest("GET", "/sign-in");

    ResponseEntity<String> now = door.signIn(code, "", request);

    assertThat(now.getStatusCode().value()).isEqualTo(503);
    assertThat(now.getHeaders().getContentType()).isEqualTo(MediaType.TEXT_HTML);
    assertThat(now.getBody()).contains("no space left on &lt;device&gt;.", "load this page again");
    assertThat(door.signIn(code, "", request).getStatusCode().value()).isEqualTo(303);
    authenticator.revoke(token.id());
  }

  /// The real store; something happens between a lookup and its answer, or before a session is
  /// stored.
  private record Interrupted(
      TokenStore real, Deque<Runnable> afterReading, Deque<Runnable> beforeWriting)
      implements TokenStore {
    private Interrupted(TokenStore real) {
      this(real, new ArrayDeque<>(), new ArrayDeque<>());
    }

    private <T> T read(T answer) {
      Optional.ofNullable(afterReading.poll()).ifPresent(Runnable::run);
      return answer;
    }

    @Override
    public TokenView create(String name, byte[] sha256) {
      return real.create(name, sha256);
    }

    @Override
    public List<TokenView> tokens() {
      return real.tokens();
    }

    @Override
    public Optional<TokenView> find(byte[] sha256) {
      return read(real.find(sha256));
    }

    @Override
    public void touch(String id, Instant time) {
      real.touch(id, time);
    }

    @Override
    public Revocation revoke(String id) {
      return real.revoke(id);
    }

    @Override
    public void putSession(byte[] sha256, String tokenId, Instant expireTime) {
      Optional.ofNullable(beforeWriting.poll()).ifPresent(Runnable::run);
      real.putSession(sha256, tokenId, expireTime);
    }

    @Override
    public Optional<TokenView> findSession(byte[] sha256, Instant now) {
      return read(real.findSession(sha256, now));
    }

    @Override
    public void endSession(byte[] sha256) {
      real.endSession(sha256);
    }
  }
}
