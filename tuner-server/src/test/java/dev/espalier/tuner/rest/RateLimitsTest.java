package dev.espalier.tuner.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tuner.app.port.AnswerStore;
import dev.espalier.tuner.app.port.TokenStore;
import dev.espalier.tuner.boot.TestServer;
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
    assertThat(limits.isExhausted("a")).isTrue();
    assertThat(limits.isExhausted("b")).isFalse();
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
            problems);

    assertThat(tryToken(filter, "esp_wrong")).isEqualTo(200);
    assertThat(tryToken(filter, server.token())).isEqualTo(200);
    assertThat(tryToken(filter, "esp_wrong")).isEqualTo(200);
    assertThat(tryToken(filter, "esp_wrong")).isEqualTo(429);
    assertThat(tryToken(filter, server.token())).isEqualTo(200);
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
