package dev.espalier.tuner.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tuner.app.port.AnswerStore;
import dev.espalier.tuner.app.port.TokenStore;
import dev.espalier.tuner.boot.TestServer;
import jakarta.servlet.http.Cookie;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.mock.web.MockFilterChain;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;
import tools.jackson.databind.json.JsonMapper;

class RateLimitsTest {
  private final TestServer server = TestServer.get();
  private final Problems problems = new Problems(JsonMapper.builder().build());

  @Test
  void burstIsAllowedAndThenEachCallerWaits() {
    var limits = new RateLimits(3, 1, Duration.ofMinutes(1));

    for (int i = 0; i < 3; i++) {
      assertThat(limits.secondsToWait("a")).isZero();
    }
    assertThat(limits.secondsToWait("a")).isBetween(50, 60);
    assertThat(limits.secondsToWait("b")).isZero();
  }

  @Test
  void tooManyPostsAre429WithTheTimeToWait() throws Exception {
    var filter =
        new UnsafeRequestFilter(
            new RateLimits(2, 1, Duration.ofSeconds(30)),
            server.bean(AnswerStore.class),
            problems,
            InstantSource.system());
    List<Integer> statuses = new ArrayList<>();
    MockHttpServletResponse last = new MockHttpServletResponse();
    for (int i = 0; i < 3; i++) {
      last = new MockHttpServletResponse();
      filter.doFilter(
          new MockHttpServletRequest("POST", "/api/v1/jobs"), last, new MockFilterChain());
      statuses.add(last.getStatus());
    }

    assertThat(statuses).containsExactly(200, 200, 429);
    assertThat(last.getContentType()).isEqualTo("application/problem+json");
    assertThat(last.getContentAsString()).contains("\"code\":\"TOO_MANY_REQUESTS\"");
    assertThat(Integer.parseInt(last.getHeader("Retry-After"))).isBetween(20, 30);
  }

  @Test
  void addressWithTooManyWrongTokensIs429ButForAGoodOne() throws Exception {
    var filter =
        new AuthenticationFilter(
            new Authenticator(server.bean(TokenStore.class), InstantSource.system()),
            new RateLimits(2, 1, Duration.ofMinutes(1)),
            problems,
            SecurityConfiguration.OPEN);

    assertThat(tryToken(filter, "esp_wrong")).isEqualTo(200);
    assertThat(tryToken(filter, server.token())).isEqualTo(200);
    assertThat(tryToken(filter, "esp_wrong")).isEqualTo(200);
    assertThat(tryToken(filter, "esp_wrong")).isEqualTo(429);
    assertThat(tryToken(filter, server.token())).isEqualTo(200);
  }

  @Test
  void whoHasAStaleCookieMaySignIn() throws Exception {
    var authenticator = new Authenticator(server.bean(TokenStore.class), InstantSource.system());
    var limits = new RateLimits(1, 1, Duration.ofMinutes(1));
    var filter =
        new AuthenticationFilter(authenticator, limits, problems, SecurityConfiguration.OPEN);
    var stale = new Cookie(AuthenticationFilter.SESSION_COOKIE, "esp_expired");
    for (int i = 0; i < 3; i++) {
      assertThat(tryCookie(filter, "/api/v1/jobs", stale).getStatus()).isEqualTo(200);
    }

    assertThat(tryCookie(filter, "/api/v1/jobs", stale).getHeader("Set-Cookie"))
        .startsWith("espalier_session=;")
        .contains("Max-Age=0");
    assertThat(tryCookie(filter, "/js/model.js", stale).getHeader("Set-Cookie")).isNull();
    assertThat(tryToken(filter, "esp_wrong")).as("none of these was counted").isEqualTo(200);
    assertThat(tryToken(filter, "esp_wrong")).isEqualTo(429);

    var door = new SignInController(authenticator, limits);
    var request = new MockHttpServletRequest("GET", "/sign-in");
    String token = server.bean(TokenStore.class).tokens().getFirst().id();
    String good = authenticator.newCode(new Caller(token, "first", false)).code();
    assertThat(door.signIn("wrong", "", request).getStatusCode().value()).isEqualTo(429);
    assertThat(door.signIn(good, "", request).getStatusCode().value()).isEqualTo(303);
  }

  private static MockHttpServletResponse tryCookie(
      AuthenticationFilter filter, String path, Cookie cookie) throws Exception {
    var request = new MockHttpServletRequest("GET", path);
    request.setCookies(cookie);
    var response = new MockHttpServletResponse();
    filter.doFilter(request, response, new MockFilterChain());
    return response;
  }

  /// {@return 200 when the request is handed on, which for a wrong token is refused later}
  private static int tryToken(AuthenticationFilter filter, String token) throws Exception {
    var request = new MockHttpServletRequest("GET", "/api/v1/jobs");
    request.addHeader("Authorization", "Bearer " + token);
    var response = new MockHttpServletResponse();
    filter.doFilter(request, response, new MockFilterChain());
    return response.getStatus();
  }
}
