package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.app.JobService;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.core.session.SessionEvent.UserRequest;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongPredicate;

/// Keeps jobs and requests, and runs nothing.
public final class RecordingJobService implements JobService {
  /// One call of `request`.
  public record Asked(String job, UserRequest request, String actor) {}

  private final JobStore store;
  private final List<Asked> asked = new CopyOnWriteArrayList<>();
  private volatile ErrorCode failure = ErrorCode.INTERNAL;
  private volatile boolean failing;
  private volatile Runnable onSubmit = () -> {};
  private volatile Runnable afterSubmit = () -> {};

  public RecordingJobService(JobStore store) {
    this.store = store;
  }

  @Override
  public String submit(JobSpec spec, String actor, Optional<String> request) {
    onSubmit.run();
    Optional<String> made = request.flatMap(store::madeBy);
    if (made.isPresent()) {
      return made.get();
    }
    String id = "job_" + UUID.randomUUID().toString().replace("-", "");
    store.create(new JobStore.StoredJob(id, spec), actor, request);
    afterSubmit.run();
    return id;
  }

  @Override
  public void request(
      String job, UserRequest request, String actor, Optional<LongPredicate> isExpected) {
    if (failing) {
      throw new EspalierException(failure, "told to fail");
    }
    long version = store.standing(job).orElseThrow().version();
    if (isExpected.isPresent() && !isExpected.get().test(version)) {
      throw new EspalierException(ErrorCode.VERSION_MISMATCH, "it is in version " + version);
    }
    asked.add(new Asked(job, request, actor));
  }

  @Override
  public void delete(String job, String actor) {
    store.delete(job);
  }

  public List<Asked> asked() {
    return asked;
  }

  /// Runs `action` at the start of each submit.
  public void onSubmit(Runnable action) {
    onSubmit = action;
  }

  /// Runs `action` when a submit has made its job.
  public void afterSubmit(Runnable action) {
    afterSubmit = action;
  }

  /// Lets `request` fail with `code` while `work` runs.
  public void failingWith(ErrorCode code, Runnable work) {
    failure = code;
    failing = true;
    try {
      work.run();
    } finally {
      failing = false;
    }
  }
}
