package dev.espalier.tuner.rest;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.MDC;
import org.springframework.web.filter.OncePerRequestFilter;

/// Gives each request a trace id and names its job in the log.
final class TraceFilter extends OncePerRequestFilter {
  private static final String ATTRIBUTE = TraceFilter.class.getName();
  private static final Pattern TRACE_PARENT =
      Pattern.compile("[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}");
  private static final Pattern JOB = Pattern.compile("/api/v1/jobs/(" + Lookups.JOB_ID + ")(/.*)?");

  /// {@return the trace id of a request}
  static String traceId(HttpServletRequest request) {
    return request.getAttribute(ATTRIBUTE) instanceof String id ? id : "";
  }

  /// Gives a request its trace id, and says it in the answer.
  static String begin(HttpServletRequest request, HttpServletResponse response) {
    String id = trace(request.getHeader("traceparent"));
    request.setAttribute(ATTRIBUTE, id);
    response.setHeader("X-Trace-Id", id);
    return id;
  }

  @Override
  protected void doFilterInternal(
      HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    String id = begin(request, response);
    Matcher job = JOB.matcher(String.valueOf(request.getRequestURI()));
    MDC.put("trace", id);
    if (job.matches()) {
      MDC.put("job", job.group(1));
    }
    try {
      chain.doFilter(request, response);
    } finally {
      MDC.remove("trace");
      MDC.remove("job");
    }
  }

  private static String trace(@org.jspecify.annotations.Nullable String parent) {
    if (parent != null) {
      Matcher match = TRACE_PARENT.matcher(parent);
      if (match.matches()) {
        return match.group(1);
      }
    }
    var random = ThreadLocalRandom.current();
    return HexFormat.of().toHexDigits(random.nextLong())
        + HexFormat.of().toHexDigits(random.nextLong());
  }
}
