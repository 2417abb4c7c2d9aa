package dev.espalier.tuner.app;

import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.core.session.SessionEvent.UserRequest;
import java.util.Optional;
import java.util.function.LongPredicate;

/// The use cases of the product, for every door to it.
public interface JobService {
  /// Takes a checked job in and starts it.
  ///
  /// @param request names the request, so that the same one again makes no second job within a day
  /// @return the new job's id, or that of the job which the same request has made
  /// @throws dev.espalier.api.model.EspalierException `DATABASE_AWAY`, or `NOT_READY` while the
  ///   server starts or goes down
  String submit(JobSpec spec, String actor, Optional<String> request);

  /// Hands a request to a running job; waits for its turn, in which the job's session takes it.
  ///
  /// @param isExpected which versions of the job it is meant for, asked when the request's turn
  ///   comes. Empty for any version
  /// @throws dev.espalier.api.model.EspalierException `NOT_FOUND`, `WRONG_STATE` with the state,
  ///   `INVALID_SETTING` with all problems of a setting to try, `VERSION_MISMATCH`, or `NOT_READY`
  ///   when its turn does not come
  void request(String job, UserRequest request, String actor, Optional<LongPredicate> isExpected);

  /// Removes a job that has ended: its record, its checkpoints and its logs, for good.
  ///
  /// @throws dev.espalier.api.model.EspalierException `NOT_FOUND`, `WRONG_STATE` when it has not
  ///   ended, or `NOT_READY`
  void delete(String job, String actor);

  /// Hands a request to a running job, whatever its version.
  default void request(String job, UserRequest request, String actor) {
    request(job, request, actor, Optional.empty());
  }
}
