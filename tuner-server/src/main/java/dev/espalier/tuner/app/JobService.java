package dev.espalier.tuner.app;

import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.core.session.SessionEvent.UserRequest;

/// The use cases of the product, for every door to it.
public interface JobService {
  /// Takes a checked job in and starts it.
  ///
  /// @return the new job's id
  /// @throws dev.espalier.api.model.EspalierException `DATABASE_AWAY`
  String submit(JobSpec spec, String actor);

  /// Hands a request to a running job.
  ///
  /// @throws dev.espalier.api.model.EspalierException `NOT_FOUND`, `WRONG_STATE` with the state, or
  ///   `INVALID_SETTING` with all problems of a setting to try
  void request(String job, UserRequest request, String actor);
}
