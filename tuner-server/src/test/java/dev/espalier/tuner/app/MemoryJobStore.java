package dev.espalier.tuner.app;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.JobState;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.app.port.JobStore;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;

/// Jobs in memory.
final class MemoryJobStore implements JobStore {
  private final Map<String, StoredJob> jobs = Collections.synchronizedMap(new LinkedHashMap<>());
  private final Map<String, String> requests = new ConcurrentHashMap<>();
  private final Map<String, String> failures = new ConcurrentHashMap<>();
  private final Map<String, String> explained = new ConcurrentHashMap<>();
  final List<String> explanations = new CopyOnWriteArrayList<>();
  private final Map<String, Long> versions = new ConcurrentHashMap<>();
  private final Map<String, JobState> states = new ConcurrentHashMap<>();

  /// By job and generation.
  private final Map<String, NavigableMap<Integer, byte[]>> secrets = new ConcurrentHashMap<>();

  final Set<String> halfDeleted = ConcurrentHashMap.newKeySet();
  volatile boolean isAway;

  /// Whether the next change is made and the connection broken before it is confirmed.
  volatile boolean isNextAnswerLost;

  @Override
  public void create(StoredJob job, String actor, Optional<String> request) {
    jobs.put(job.id(), job);
    request.ifPresent(name -> requests.put(name, job.id()));
    answer();
  }

  private void answer() {
    if (isNextAnswerLost) {
      isNextAnswerLost = false;
      throw new EspalierException(ErrorCode.DATABASE_AWAY, "away");
    }
  }

  @Override
  public Optional<String> madeBy(String request) {
    return Optional.ofNullable(requests.get(request));
  }

  @Override
  public Optional<StoredJob> find(String id) {
    return Optional.ofNullable(jobs.get(id));
  }

  @Override
  public Optional<Standing> standing(String id) {
    if (isAway) {
      throw new EspalierException(ErrorCode.DATABASE_AWAY, "away");
    }
    return find(id)
        .map(job ->
            new Standing(
                failures.containsKey(id)
                    ? JobState.FAILED
                    : states.getOrDefault(id, JobState.QUEUED),
                explained.containsKey(id) ? NOT_RESUMED : "",
                versions.getOrDefault(id, 1L)));
  }

  /// What a commit that changes a job does.
  void change(String id, JobState state) {
    explained.remove(id);
    states.put(id, state);
    versions.merge(id, 2L, (before, _) -> before + 1);
  }

  @Override
  public List<StoredJob> unfinished() {
    List<StoredJob> all;
    synchronized (jobs) {
      all = List.copyOf(jobs.values());
    }
    return all.stream()
        .filter(job -> !standing(job.id()).orElseThrow().state().isTerminal())
        .toList();
  }

  @Override
  public List<StreamEvent> fail(String job, String reason, String message) {
    failures.put(job, reason + ": " + message);
    answer();
    return List.of();
  }

  /// {@return why jobs were marked as failed, by their ids}
  Map<String, String> failures() {
    return failures;
  }

  @Override
  public void hide(String job) {
    if (halfDeleted.contains(job)) {
      return;
    }
    JobState state =
        standing(job)
            .orElseThrow(() -> new EspalierException(ErrorCode.NOT_FOUND, "there is no job " + job))
            .state();
    if (!state.isTerminal()) {
      throw new EspalierException(ErrorCode.WRONG_STATE, "job " + job + " is " + state);
    }
    halfDeleted.add(job);
  }

  @Override
  public void delete(String job) {
    hide(job);
    jobs.remove(job);
    halfDeleted.remove(job);
  }

  @Override
  public List<StreamEvent> explain(String job, String message) {
    explained.put(job, message);
    explanations.add(message);
    return List.of();
  }

  /// {@return why jobs stand still, by their ids}
  Map<String, String> explained() {
    return explained;
  }

  @Override
  public List<String> halfDeleted() {
    return List.copyOf(halfDeleted);
  }

  @Override
  public void putPolicyVersion(String job, int version) {
    jobs.computeIfPresent(
        job, (id, known) -> new StoredJob(id, known.spec(), version, known.dataFingerprint()));
  }

  @Override
  public List<FinishedJob> finished(String program, int most) {
    return List.of();
  }

  @Override
  public void putWorkerSecret(String job, int generation, byte[] sha256) {
    secrets.computeIfAbsent(job, _ -> new ConcurrentSkipListMap<>()).put(generation, sha256);
  }

  @Override
  public Optional<byte[]> workerSecret(String job, int generation) {
    return secretsOf(job).map(hashes -> hashes.get(generation));
  }

  @Override
  public Optional<byte[]> workerSecret(String job) {
    return secretsOf(job).map(hashes -> hashes.lastEntry().getValue());
  }

  private Optional<NavigableMap<Integer, byte[]>> secretsOf(String job) {
    return Optional.ofNullable(secrets.get(job));
  }
}
