package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Problem;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import tools.jackson.databind.json.JsonMapper;

/// Makes the bodies of problems, for controllers and for filters that stand before them.
final class Problems {
  private static final int RETRY_SECONDS = 2;

  private final JsonMapper json;

  Problems(JsonMapper json) {
    this.json = json;
  }

  ProblemView view(HttpServletRequest request, EspalierException failure) {
    return view(
        request,
        failure.code().httpStatus(),
        failure.code(),
        String.valueOf(failure.getMessage()),
        failure.problems());
  }

  /// {@return what is told where nothing but the status is known}
  ProblemView ofStatus(HttpServletRequest request, int status) {
    ErrorCode code =
        switch (status) {
          case 401 -> ErrorCode.UNAUTHENTICATED;
          case 403 -> ErrorCode.FORBIDDEN;
          case 404 -> ErrorCode.NOT_FOUND;
          default -> status < 500 ? ErrorCode.INVALID_REQUEST : ErrorCode.INTERNAL;
        };
    String detail =
        status < 500 ? "the request cannot be served" : "the server failed; its log tells more";
    return view(request, status, code, detail, List.of());
  }

  ProblemView view(
      HttpServletRequest request,
      int status,
      ErrorCode code,
      String detail,
      List<Problem> problems) {
    HttpStatus known = HttpStatus.resolve(status);
    return new ProblemView(
        "urn:espalier:problem:" + code.name().toLowerCase(Locale.ROOT).replace('_', '-'),
        known == null ? "Failed" : known.getReasonPhrase(),
        status,
        detail,
        request.getRequestURI(),
        code.name(),
        TraceFilter.traceId(request),
        problems);
  }

  /// {@return seconds after which the request may be sent again; 0 when that would not help}
  static int retrySeconds(ErrorCode code) {
    return switch (code) {
      case NOT_READY, DATABASE_AWAY, REQUEST_IN_PROGRESS, TOO_MANY_REQUESTS -> RETRY_SECONDS;
      case INVALID_JOB,
          INVALID_REQUEST,
          INVALID_DATA,
          INVALID_SETTING,
          UNAUTHENTICATED,
          FORBIDDEN,
          NOT_FOUND,
          WRONG_STATE,
          VERSION_MISMATCH,
          KEY_REUSED,
          OUT_OF_MEMORY_BUDGET,
          WORKERS_LOST,
          PORT_IN_USE,
          CHECKPOINT_FAILED,
          CHECKPOINT_MISSING,
          CHECKPOINT_UNREADABLE,
          PROGRAM_FAILED,
          INTERNAL ->
          0;
    };
  }

  /// Answers from a filter.
  void write(HttpServletRequest request, HttpServletResponse response, EspalierException failure)
      throws IOException {
    write(request, response, view(request, failure), retrySeconds(failure.code()));
  }

  void write(
      HttpServletRequest request,
      HttpServletResponse response,
      ProblemView problem,
      int retrySeconds)
      throws IOException {
    if (response.isCommitted()) {
      return;
    }
    response.setStatus(problem.status());
    response.setContentType(MediaType.APPLICATION_PROBLEM_JSON_VALUE);
    response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
    if (problem.status() == 401) {
      response.setHeader(HttpHeaders.WWW_AUTHENTICATE, "Bearer");
    }
    if (retrySeconds > 0) {
      response.setHeader(HttpHeaders.RETRY_AFTER, Integer.toString(retrySeconds));
    }
    byte[] body = json.writeValueAsBytes(problem);
    response.setContentLength(body.length);
    if (!"HEAD".equals(request.getMethod())) {
      response.getOutputStream().write(body);
    }
  }
}
