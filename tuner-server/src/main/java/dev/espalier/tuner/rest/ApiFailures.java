package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Problem;
import dev.espalier.api.rest.Suggestion;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.security.web.firewall.RequestRejectedException;
import org.springframework.util.ClassUtils;
import org.springframework.web.ErrorResponse;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.ServletWebRequest;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.context.request.async.AsyncRequestNotUsableException;
import org.springframework.web.method.annotation.MethodArgumentTypeMismatchException;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;
import org.springframework.web.servlet.resource.NoResourceFoundException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.exc.InvalidFormatException;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.exc.UnrecognizedPropertyException;

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
            : failure instanceof HttpMessageNotReadableException unreadable
                ? words(unreadable)
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
    return "%s must be %s but is %s"
        .formatted(mismatch.getName(), expected(value), mismatch.getValue());
  }

  /// The parser's own words name classes.
  private static String words(HttpMessageNotReadableException failure) {
    if (failure.getCause() instanceof UnrecognizedPropertyException unknown) {
      return "unknown key " + name(unknown) + suggestion(unknown);
    }
    if (failure.getCause() instanceof MismatchedInputException mismatch
        && !mismatch.getPath().isEmpty()) {
      String rejected = rejected(mismatch);
      return "%s must be %s".formatted(name(mismatch), expected(mismatch.getTargetType()))
          + (rejected.isEmpty() ? "" : " but is " + rejected);
    }
    if (failure.getCause() instanceof JacksonException broken && broken.getLocation() != null) {
      return "the body is not a JSON object that can be read (line %d, column %d)"
          .formatted(broken.getLocation().getLineNr(), broken.getLocation().getColumnNr());
    }
    return failure.getCause() == null ? "the body is missing" : "the body cannot be read";
  }

  private static String suggestion(UnrecognizedPropertyException unknown) {
    List<String> known =
        Objects.requireNonNullElse(unknown.getKnownPropertyIds(), List.of()).stream()
            .map(String::valueOf)
            .toList();
    return Suggestion.sentence(unknown.getPropertyName(), known, List.of());
  }

  /// {@return the value that is wrong; empty where it is an object or a list}
  private static String rejected(MismatchedInputException failure) {
    return failure instanceof InvalidFormatException wrong ? String.valueOf(wrong.getValue()) : "";
  }

  private static String name(JacksonException failure) {
    return steps(failure).collect(Collectors.joining("."));
  }

  private static Stream<String> steps(JacksonException failure) {
    return failure.getPath().stream()
        .map(step ->
            step.getPropertyName() == null
                ? Integer.toString(step.getIndex())
                : step.getPropertyName());
  }

  private static String expected(@Nullable Class<?> type) {
    if (type == null) {
      return "a value of another kind";
    }
    if (type.isEnum()) {
      return "one of "
          + Arrays.stream(type.getEnumConstants())
              .map(Object::toString)
              .collect(Collectors.joining(", "));
    }
    return switch (ClassUtils.resolvePrimitiveIfNecessary(type).getSimpleName()) {
      case "Boolean" -> "true or false";
      case "Integer" ->
          "a whole number from %d to %d".formatted(Integer.MIN_VALUE, Integer.MAX_VALUE);
      case "Long" -> "a whole number from %d to %d".formatted(Long.MIN_VALUE, Long.MAX_VALUE);
      case "Double" -> "a number";
      case "String" -> "a text";
      default -> type.isArray() || Iterable.class.isAssignableFrom(type) ? "a list" : "an object";
    };
  }

  private static List<Problem> errors(Exception failure, String detail) {
    if (failure instanceof TypeMismatchException mismatch && mismatch.getPropertyName() != null) {
      return List.of(
          new Problem(
              "/" + mismatch.getPropertyName(), detail, String.valueOf(mismatch.getValue())));
    }
    if (failure.getCause() instanceof MismatchedInputException mismatch
        && !mismatch.getPath().isEmpty()) {
      return List.of(
          new Problem(
              steps(mismatch).map(Problem::pointer).collect(Collectors.joining()),
              detail,
              rejected(mismatch)));
    }
    return List.of();
  }
}
