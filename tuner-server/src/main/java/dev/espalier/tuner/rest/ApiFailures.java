package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Problem;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.TypeMismatchException;
import org.springframework.core.ResolvableType;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.security.web.firewall.RequestRejectedException;
import org.springframework.web.ErrorResponse;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.ServletWebRequest;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.context.request.async.AsyncRequestNotUsableException;
import org.springframework.web.method.annotation.MethodArgumentTypeMismatchException;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;
import org.springframework.web.servlet.resource.NoResourceFoundException;

/// Turns what controllers throw into problems.
@RestControllerAdvice
class ApiFailures extends ResponseEntityExceptionHandler {
  private static final Logger LOG = LoggerFactory.getLogger(ApiFailures.class);

  private final Problems problems;

  ApiFailures(Problems problems) {
    this.problems = problems;
  }

  @ExceptionHandler
  ResponseEntity<Object> failed(EspalierException failure, HttpServletRequest request) {
    int status = failure.code().httpStatus();
    // That it is not ready, or its database away, a server says for itself.
    if (status >= 500 && status != HttpStatus.SERVICE_UNAVAILABLE.value()) {
      LOG.error("event=request-failed path={}", request.getRequestURI(), failure);
    }
    var answer = ResponseEntity.status(status).contentType(MediaType.APPLICATION_PROBLEM_JSON);
    int retrySeconds = Problems.retrySeconds(failure.code());
    if (retrySeconds > 0) {
      answer.header(HttpHeaders.RETRY_AFTER, Integer.toString(retrySeconds));
    }
    return answer.body(problems.view(request, failure));
  }

  @ExceptionHandler
  ResponseEntity<Object> turnedAway(RequestRejectedException refusal, HttpServletRequest request) {
    return ResponseEntity.badRequest()
        .contentType(MediaType.APPLICATION_PROBLEM_JSON)
        .body(
            problems.view(
                request,
                400,
                ErrorCode.INVALID_REQUEST,
                String.valueOf(refusal.getMessage()),
                List.of()));
  }

  @ExceptionHandler
  @Nullable ResponseEntity<Object> crashed(RuntimeException failure, HttpServletRequest request) {
    LOG.error("event=request-failed path={}", request.getRequestURI(), failure);
    return ResponseEntity.internalServerError()
        .contentType(MediaType.APPLICATION_PROBLEM_JSON)
        .body(
            problems.view(
                request,
                500,
                ErrorCode.INTERNAL,
                "the server failed; its log tells more under this trace id",
                List.of()));
  }

  @Override
  protected @Nullable ResponseEntity<Object> handleExceptionInternal(
      Exception failure,
      @Nullable Object body,
      HttpHeaders headers,
      HttpStatusCode status,
      WebRequest request) {
    if (failure instanceof AsyncRequestNotUsableException
        || !(request instanceof ServletWebRequest web)
        || (web.getResponse() != null && web.getResponse().isCommitted())) {
      return null;
    }
    String detail =
        failure instanceof MethodArgumentTypeMismatchException mismatch
            ? words(mismatch)
            : failure instanceof NoResourceFoundException
                ? "there is nothing at "
                    + web.getRequest().getRequestURI()
                    + "; the API begins at /api/v1"
                : body instanceof ProblemDetail problem && problem.getDetail() != null
                    ? problem.getDetail()
                    : failure instanceof ErrorResponse response
                            && response.getBody().getDetail() != null
                        ? response.getBody().getDetail()
                        : "the request cannot be read";
    ErrorCode code =
        switch (status.value()) {
          case 404 -> ErrorCode.NOT_FOUND;
          case 503 -> ErrorCode.DATABASE_AWAY;
          default -> status.is5xxServerError() ? ErrorCode.INTERNAL : ErrorCode.INVALID_REQUEST;
        };
    return ResponseEntity.status(status)
        .headers(headers)
        .contentType(MediaType.APPLICATION_PROBLEM_JSON)
        .body(
            problems.view(web.getRequest(), status.value(), code, detail, errors(failure, detail)));
  }

  private static String words(MethodArgumentTypeMismatchException mismatch) {
    ResolvableType type = ResolvableType.forMethodParameter(mismatch.getParameter());
    Class<?> value = type.hasGenerics() ? type.resolveGeneric(0) : type.resolve();
    String expected =
        value != null && value.isEnum()
            ? "one of "
                + Arrays.stream(value.getEnumConstants())
                    .map(Object::toString)
                    .collect(Collectors.joining(", "))
            : value == boolean.class || value == Boolean.class ? "true or false" : "a number";
    return "%s must be %s but is %s".formatted(mismatch.getName(), expected, mismatch.getValue());
  }

  private static List<Problem> errors(Exception failure, String detail) {
    if (failure instanceof TypeMismatchException mismatch && mismatch.getPropertyName() != null) {
      return List.of(
          new Problem(
              "/" + mismatch.getPropertyName(), detail, String.valueOf(mismatch.getValue())));
    }
    return List.of();
  }
}
