package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Problem;
import dev.espalier.api.rest.JobView;
import dev.espalier.tuner.app.port.JobQueries;
import org.jspecify.annotations.Nullable;

/// What routes of a job have in common.
final class Lookups {
  /// What a job's id may be, as a regular expression.
  static final String JOB_ID = "[A-Za-z0-9_]{1,64}";

  /// Path of a job; an id of another form is no route at all.
  static final String JOB = "/api/v1/jobs/{job:" + JOB_ID + "}";

  static final String DEFAULT_PAGE_SIZE = "50";
  private static final int MAX_PAGE_SIZE = 1000;

  private Lookups() {}

  /// {@return the job}
  ///
  /// @throws EspalierException `NOT_FOUND`
  static JobView job(JobQueries queries, String job) {
    return queries.job(job).orElseThrow(() -> notFound("job", job));
  }

  static EspalierException notFound(String kind, Object id) {
    return new EspalierException(ErrorCode.NOT_FOUND, "there is no " + kind + " " + id);
  }

  /// {@return what a request is answered of which one parameter is wrong}
  ///
  /// @param message names the parameter, its value and the bound
  static EspalierException invalid(String name, String message, @Nullable Object value) {
    return EspalierException.of(ErrorCode.INVALID_REQUEST, Problem.pointer(name), message, value);
  }

  static void requirePageSize(int pageSize) {
    requireWithin("pageSize", pageSize, 1, MAX_PAGE_SIZE);
  }

  /// @param round null for all rounds; 0 stands for what no round forked
  static void requireRound(@Nullable Integer round) {
    requireWithin("round", round == null ? 0 : round, 0, Integer.MAX_VALUE);
  }

  static void requireWithin(String name, long value, long min, long max) {
    if (value < min || value > max) {
      throw invalid(name, name + " must lie in [" + min + ", " + max + "] but is " + value, value);
    }
  }
}
