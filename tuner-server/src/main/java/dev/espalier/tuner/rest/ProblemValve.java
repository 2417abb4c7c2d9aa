package dev.espalier.tuner.rest;

import java.io.IOException;
import java.io.UncheckedIOException;
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
    try {
      problems.write(request, response, problems.ofStatus(request, status), 0);
      response.finishResponse();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
