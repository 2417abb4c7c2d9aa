package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Problem;
import dev.espalier.api.rest.Suggestion;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.springframework.core.MethodParameter;
import org.springframework.util.StringUtils;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.HandlerInterceptor;
import org.springframework.web.util.UriComponentsBuilder;

/// Refuses parameters that a route does not have: `dryrun=true` must not submit a job.
final class KnownParameters implements HandlerInterceptor {
  @Override
  public boolean preHandle(
      HttpServletRequest request, HttpServletResponse response, Object handler) {
    String query = request.getQueryString();
    if (query != null
        && handler instanceof HandlerMethod method
        && method.getBeanType().getPackage().equals(KnownParameters.class.getPackage())) {
      refuseUnknown(named(query), known(method));
    }
    return true;
  }

  private static Set<String> named(String query) {
    return UriComponentsBuilder.newInstance().query(query).build().getQueryParams().keySet();
  }

  private static List<String> known(HandlerMethod method) {
    return Arrays.stream(method.getMethodParameters())
        .flatMap(parameter -> nameOf(parameter).stream())
        .toList();
  }

  private static Optional<String> nameOf(MethodParameter parameter) {
    return Optional.ofNullable(parameter.getParameterAnnotation(RequestParam.class))
        .map(given ->
            Stream.of(given.name(), given.value())
                .filter(StringUtils::hasText)
                .findFirst()
                .orElseGet(parameter.getParameter()::getName));
  }

  private static void refuseUnknown(Set<String> named, List<String> known) {
    List<Problem> problems =
        named.stream()
            .filter(name -> !known.contains(name))
            .map(name ->
                new Problem(
                    Problem.pointer(name),
                    "unknown parameter " + name + Suggestion.sentence(name, known, List.of()),
                    name))
            .toList();
    if (!problems.isEmpty()) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST, problems.getFirst().message(), problems);
    }
  }
}
