package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseCookie;
import org.springframework.security.authentication.UsernamePasswordAuthenticationToken;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.security.web.util.matcher.RequestMatcher;
import org.springframework.web.filter.OncePerRequestFilter;

/// Finds out who sends a request, by token or by session; whether they may is decided later.
final class AuthenticationFilter extends OncePerRequestFilter {
  static final String SESSION_COOKIE = "espalier_session";

  /// A page of another origin cannot set this header, so it shows that our own page sent the
  /// request.
  static final String OWN_PAGE_HEADER = "X-Espalier-Request";

  private static final Set<String> SAFE_METHODS = Set.of("GET", "HEAD", "OPTIONS");
  private static final String SCHEME = "Bearer ";

  private final Authenticator authenticator;
  private final RateLimits failures;
  private final Problems problems;
  private final RequestMatcher open;

  /// @param open requests that anybody may send, whatever secrets they carry
  AuthenticationFilter(
      Authenticator authenticator, RateLimits failures, Problems problems, RequestMatcher open) {
    this.authenticator = authenticator;
    this.failures = failures;
    this.problems = problems;
    this.open = open;
  }

  @Override
  protected boolean shouldNotFilter(HttpServletRequest request) {
    return open.matches(request);
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    Optional<Caller> caller;
    try {
      caller = caller(request, response);
    } catch (EspalierException e) {
      problems.write(request, response, e);
      return;
    }
    caller.ifPresent(AuthenticationFilter::enter);
    chain.doFilter(request, response);
  }

  private Optional<Caller> caller(HttpServletRequest request, HttpServletResponse response) {
    String header = request.getHeader(HttpHeaders.AUTHORIZATION);
    String address = request.getRemoteAddr();
    if (header != null) {
      Optional<Caller> caller =
          header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
              ? authenticator.byToken(header.substring(SCHEME.length()).strip())
              : Optional.empty();
      if (caller.isEmpty()) {
        failed(address);
      }
      return caller;
    }
    Optional<String> cookie = sessionCookie(request);
    if (cookie.isEmpty()) {
      return Optional.empty();
    }
    Optional<Caller> caller = authenticator.bySession(cookie.get());
    if (caller.isEmpty()) {
      // Browsers show what has expired by themselves: that is no guess.
      response.addHeader(HttpHeaders.SET_COOKIE, endedSession().toString());
    } else if (!SAFE_METHODS.contains(request.getMethod())
        && !"1".equals(request.getHeader(OWN_PAGE_HEADER))) {
      throw new EspalierException(
          ErrorCode.FORBIDDEN,
          "a request with a session must carry the header " + OWN_PAGE_HEADER + ": 1");
    }
    return caller;
  }

  /// Whoever shows a right secret is let in, whatever others behind the same address try.
  private void failed(String address) {
    if (failures.secondsToWait(address) > 0) {
      throw new EspalierException(
          ErrorCode.TOO_MANY_REQUESTS, "too many wrong secrets from this address; wait a minute");
    }
  }

  /// {@return what makes a browser forget its session}
  static ResponseCookie endedSession() {
    return ResponseCookie.from(SESSION_COOKIE, "").path("/").maxAge(0).build();
  }

  static Optional<String> sessionCookie(HttpServletRequest request) {
    Cookie[] cookies = request.getCookies();
    if (cookies != null) {
      for (Cookie cookie : cookies) {
        if (cookie.getName().equals(SESSION_COOKIE)) {
          return Optional.ofNullable(cookie.getValue());
        }
      }
    }
    return Optional.empty();
  }

  private static void enter(Caller caller) {
    var context = SecurityContextHolder.createEmptyContext();
    context.setAuthentication(
        UsernamePasswordAuthenticationToken.authenticated(caller, null, List.of()));
    SecurityContextHolder.setContext(context);
  }
}
