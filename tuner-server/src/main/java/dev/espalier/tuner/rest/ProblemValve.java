package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ErrorReportValve;
import org.jspecify.annotations.Nullable;

/// Answers requests that the web server itself turns away, such as those with an address that it
/// cannot decode: they come to no filter and no controller.
final class ProblemValve extends ErrorReportValve {
  private final Problems problems;

  ProblemValve(Problems problems) {
    this.problems = problems;
  }

  @Override
  protected void report(Request request, Response response, @Nullable Throwable failure) {
    int status = response.getStatus();
    if (status < 400 || response.getContentWritten() > 0 || !response.setErrorReported()) {
      return;
    }
    if (TraceFilter.traceId(request).isEmpty()) {
      TraceFilter.begin(request, response);
    }
    boolean isServers = status >= 500;
    ErrorCode code =
        isServers
            ? ErrorCode.INTERNAL
            : status == 404 ? ErrorCode.NOT_FOUND : ErrorCode.INVALID_REQUEST;
    String detail = isServers ? "the server failed" : "the request cannot be served";
    try {
      problems.write(request, response, problems.view(request, status, code, detail, List.of()), 0);
      response.finishResponse();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
