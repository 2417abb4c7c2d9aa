package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.tuner.app.port.AnswerStore;
import dev.espalier.tuner.app.port.AnswerStore.Answer;
import dev.espalier.tuner.app.port.AnswerStore.Claim;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.util.ContentCachingResponseWrapper;

/// What holds for every request that changes something: its rate, the size of its body, and that
/// one with an `Idempotency-Key` has its effect once, however often it is sent.
///
/// Requests whose answer holds a secret (tokens and sign-in codes) are not kept, so a key has no
/// effect there.
final class UnsafeRequestFilter extends OncePerRequestFilter {
  private static final Logger log = LoggerFactory.getLogger(UnsafeRequestFilter.class);
  static final int MAX_BODY_BYTES = 1 << 20;
  static final String KEY_HEADER = "Idempotency-Key";

  /// Attribute of a request with a key: names it, so that the same one again is known.
  static final String REQUEST = "dev.espalier.request";

  private static final Duration KEPT = Duration.ofHours(24);
  private static final Set<String> SAFE_METHODS = Set.of("GET", "HEAD", "OPTIONS");
  private static final Set<String> SECRET_PATHS = Set.of("/api/v1/tokens", "/api/v1/sign-in-codes");
  private static final List<String> KEPT_HEADERS =
      List.of(HttpHeaders.CONTENT_TYPE, HttpHeaders.LOCATION, HttpHeaders.ETAG);

  private final RateLimits rate;
  private final AnswerStore answers;
  private final Problems problems;
  private final InstantSource clock;

  UnsafeRequestFilter(
      RateLimits rate, AnswerStore answers, Problems problems, InstantSource clock) {
    this.rate = rate;
    this.answers = answers;
    this.problems = problems;
    this.clock = clock;
  }

  @Override
  protected boolean shouldNotFilter(HttpServletRequest request) {
    return SAFE_METHODS.contains(request.getMethod());
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    var authentication = SecurityContextHolder.getContext().getAuthentication();
    String owner =
        authentication == null ? String.valueOf(request.getRemoteAddr()) : authentication.getName();
    int wait = rate.secondsToWait(owner);
    if (wait > 0) {
      var failure =
          new EspalierException(
              ErrorCode.TOO_MANY_REQUESTS, "too many requests; wait " + wait + " s");
      problems.write(request, response, problems.view(request, failure), wait);
      return;
    }
    byte[] body = request.getInputStream().readNBytes(MAX_BODY_BYTES + 1);
    if (body.length > MAX_BODY_BYTES) {
      problems.write(
          request,
          response,
          problems.view(
              request,
              413,
              ErrorCode.INVALID_REQUEST,
              "the body must be at most " + MAX_BODY_BYTES + " bytes but is longer",
              List.of()),
          0);
      return;
    }
    var cached = new CachedBodyRequest(request, body);
    String key = request.getHeader(KEY_HEADER);
    if (key == null
        || !"POST".equals(request.getMethod())
        || SECRET_PATHS.contains(request.getServletPath())) {
      chain.doFilter(cached, response);
      return;
    }
    try {
      once(owner, key, body, cached, response, chain);
    } catch (EspalierException e) {
      problems.write(request, response, e);
    }
  }

  private void once(
      String owner,
      String key,
      byte[] body,
      HttpServletRequest request,
      HttpServletResponse response,
      FilterChain chain)
      throws ServletException, IOException {
    if (!key.matches("[\\x21-\\x7e]{1,255}")) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST,
          KEY_HEADER + " must be 1 to 255 visible ASCII characters but has " + key.length());
    }
    Instant now = clock.instant();
    byte[] hash = hash(request, body);
    request.setAttribute(REQUEST, HexFormat.of().formatHex(named(owner, key, hash)));
    switch (answers.claim(owner, key, hash, now, now.minus(KEPT))) {
      case Claim.Granted _ -> answer(owner, key, request, response, chain);
      case Claim.Running _ ->
          throw new EspalierException(
              ErrorCode.REQUEST_IN_PROGRESS,
              "the first request with this " + KEY_HEADER + " is still being worked on");
      case Claim.OtherRequest _ ->
          throw new EspalierException(
              ErrorCode.KEY_REUSED, "this " + KEY_HEADER + " was used for another request");
      case Claim.Answered(Answer kept) -> {
        response.setStatus(kept.status());
        kept.headers().forEach(response::setHeader);
        response.setHeader("Idempotent-Replayed", "true");
        response.getOutputStream().write(kept.body());
      }
    }
  }

  private void answer(
      String owner,
      String key,
      HttpServletRequest request,
      HttpServletResponse response,
      FilterChain chain)
      throws ServletException, IOException {
    var wrapped = new ContentCachingResponseWrapper(response);
    boolean isDone = false;
    try {
      chain.doFilter(request, wrapped);
      // A failure of the server or of the moment may be tried again with the same key.
      isDone = wrapped.getStatus() < 500 && wrapped.getStatus() != 429;
    } finally {
      // Before the answer leaves: whoever has read it may try again at once.
      if (!isDone) {
        answers.release(owner, key);
      }
    }
    if (isDone) {
      keep(owner, key, wrapped);
    }
    wrapped.copyBodyToResponse();
  }

  /// What was done was done, whether its answer can be kept or not: it is sent, and the key stays
  /// taken for as long as a request may take.
  private void keep(String owner, String key, ContentCachingResponseWrapper response) {
    Map<String, String> headers = new LinkedHashMap<>();
    for (String name : KEPT_HEADERS) {
      String value =
          name.equals(HttpHeaders.CONTENT_TYPE)
              ? response.getContentType()
              : response.getHeader(name);
      if (value != null) {
        headers.put(name, value);
      }
    }
    var answer = new Answer(response.getStatus(), headers, response.getContentAsByteArray());
    try {
      answers.keep(owner, key, answer);
    } catch (EspalierException away) {
      keepAfterAll(owner, key, answer);
    }
  }

  private void keepAfterAll(String owner, String key, Answer answer) {
    try {
      answers.keep(owner, key, answer);
    } catch (EspalierException away) {
      log.warn("the answer to a request with a key cannot be kept: {}", away.getMessage());
    }
  }

  private static byte[] named(String owner, String key, byte[] hash) {
    return TokenSecret.sha256((owner + "\n" + key + "\n").getBytes(StandardCharsets.UTF_8), hash);
  }

  private static byte[] hash(HttpServletRequest request, byte[] body) {
    String line =
        request.getMethod()
            + "\n"
            + request.getRequestURI()
            + "\n"
            + request.getQueryString()
            + "\n"
            + request.getContentType()
            + "\n"
            + request.getHeader(HttpHeaders.IF_MATCH)
            + "\n";
    return TokenSecret.sha256(line.getBytes(StandardCharsets.UTF_8), body);
  }
}
