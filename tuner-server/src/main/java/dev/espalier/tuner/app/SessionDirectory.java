package dev.espalier.tuner.app;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Prior;
import dev.espalier.api.model.Problem;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.app.port.JobStore.StoredJob;
import dev.espalier.tuner.app.port.ProgramRegistry;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.session.SessionEvent.UserRequest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The live runners by job; brings them back from their logs when the server starts.
public final class SessionDirectory implements JobService, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SessionDirectory.class);
  private static final Duration RETRY = Duration.ofSeconds(30);
  private static final Duration DOUBT = Duration.ofMinutes(5);
  private static final String NO_RUNNER = "its runner has failed";
  private static final String IN_DOUBT = "the database went away while it was submitted";
  private static final String HALF_DELETED = "jobs that are being deleted";

  private final RunnerPorts ports;
  private final ProgramRegistry programs;
  private final Function<JobSpec, String> dataFolder;
  private final Map<String, SessionRunner> runners = new ConcurrentHashMap<>();
  private final SecureRandom random = new SecureRandom();
  private final JobSlots slots;

  /// Jobs of which the removal goes on.
  private final Set<String> removing = ConcurrentHashMap.newKeySet();

  /// Jobs that this server has not brought back, with the reason.
  private final Map<String, String> unresumed = new ConcurrentHashMap<>();

  /// Jobs of which nobody knows whether they are written down, and since when, in nanoseconds.
  private final Map<String, Long> doubtedSince = new ConcurrentHashMap<>();

  private final Retried retried = new Retried();

  /// Jobs that another server has taken over.
  private final Set<String> elsewhere = ConcurrentHashMap.newKeySet();

  /// Jobs that are in the database, and have no runner yet.
  private final Set<String> beginning = ConcurrentHashMap.newKeySet();

  private final ScheduledExecutorService retries =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("resume-jobs").factory());
  private volatile boolean isOpen;
  private volatile boolean closing;

  /// @param dataFolder from a job to the real path of its data, checked against the server's data
  ///   roots; empty for none
  /// @param maxRunning how many jobs may run at a time; later ones wait their turn
  public SessionDirectory(
      RunnerPorts ports,
      ProgramRegistry programs,
      Function<JobSpec, String> dataFolder,
      int maxRunning) {
    this.slots = new JobSlots(maxRunning);
    this.ports = ports;
    this.programs = programs;
    this.dataFolder = dataFolder;
  }

  /// Resumes every job that has not ended and has no runner yet. Jobs are taken in from then on.
  public void resumeAll() {
    for (StoredJob job : ports.jobs().unfinished()) {
      if (runners.containsKey(job.id())) {
        continue;
      }
      resume(job);
    }
    ports.gateway().expectNoMore();
    isOpen = true;
    var _ = retries.scheduleWithFixedDelay(this::retry, 0, RETRY.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void resume(StoredJob job) {
    try {
      ports.gateway().expect(job.id());
      start(job.id(), runner(job));
    } catch (RuntimeException failure) {
      String why = String.valueOf(failure.getMessage());
      if (retried.isNews(job.id(), failure)) {
        log.error("job={} cannot be resumed: {}", job.id(), why);
      }
      unresumed.put(job.id(), why);
      explain(job.id(), why);
    }
  }

  private void explain(String job, String why) {
    try {
      ports.publisher().publish(ports.jobs().explain(job, "It cannot be resumed: " + why));
    } catch (RuntimeException away) {
      log.warn("job={} cannot be told why it stands still: {}", job, away.getMessage());
      retried.went(job);
    }
  }

  private SessionRunner runner(StoredJob job) {
    StoredJob known = ofThisVersion(job);
    return runner(known, programOf(job.spec()), dataOrName(job.spec()));
  }

  /// Tries again what did not go well: to bring jobs back, of which the program may have been left
  /// out by mistake or put in place since, and to remove those whose removal was cut off. Throws
  /// nothing, for a schedule ends with the first failure.
  void retry() {
    unresumed.forEach(this::resumeAfterAll);
    try {
      ports.jobs().halfDeleted().stream()
          .filter(job -> !removing.contains(job))
          .forEach(this::removeAfterAll);
      retried.went(HALF_DELETED);
    } catch (RuntimeException failure) {
      if (retried.isNews(HALF_DELETED, failure)) {
        log.warn("jobs that are being deleted cannot be looked up: {}", failure.getMessage());
      }
    }
  }

  private void removeAfterAll(String job) {
    try {
      remove(job);
      retried.went(job);
    } catch (RuntimeException failure) {
      if (retried.isNews(job, failure)) {
        log.warn("job={} is being deleted and cannot be removed: {}", job, failure.getMessage());
      }
    }
  }

  /// Begins a job that is written down and that nobody has begun.
  private void beginAfterAll(String job) {
    if (!runners.containsKey(job) && !beginning.contains(job) && !elsewhere.contains(job)) {
      String why = unresumed.putIfAbsent(job, IN_DOUBT);
      resumeAfterAll(job, why == null ? IN_DOUBT : why);
    }
  }

  /// A database that goes away leaves open whether what it was told counts: a job that seems to go
  /// on may have ended, and one that seems to be there may never have been.
  private void resumeAfterAll(String job, String why) {
    synchronized (unresumed) {
      try {
        Optional<StoredJob> stored = ports.jobs().find(job);
        if (stored.isEmpty() && isInDoubt(job)) {
          return;
        }
        doubtedSince.remove(job);
        if (runners.containsKey(job)) {
          unresumed.remove(job, why);
        } else if (stored.isEmpty() || hasEnded(job)) {
          unresumed.remove(job, why);
          ports.gateway().forget(job);
        } else {
          SessionRunner runner = runner(stored.get());
          beginning.add(job);
          // Whoever takes the job out of the list has it: somebody may be ending it.
          if (unresumed.remove(job, why)) {
            start(job, runner);
          }
        }
        retried.went(job);
      } catch (RuntimeException failure) {
        if (!isDatabaseAway(failure) && retried.isNews(job, failure)) {
          tellAnew(job, why, String.valueOf(failure.getMessage()));
        }
      } finally {
        beginning.remove(job);
      }
    }
  }

  /// What a database has not confirmed it may still be about to do.
  private boolean isInDoubt(String job) {
    Long since = doubtedSince.get(job);
    return since != null && System.nanoTime() - since < DOUBT.toNanos();
  }

  private boolean hasEnded(String job) {
    return ports.jobs().standing(job).map(JobStore.Standing::state).stream()
        .anyMatch(JobState::isTerminal);
  }

  /// That says nothing of the job.
  private static boolean isDatabaseAway(RuntimeException failure) {
    return failure instanceof EspalierException known && known.code() == ErrorCode.DATABASE_AWAY;
  }

  /// Somebody may be ending the job meanwhile.
  private void tellAnew(String job, String before, String why) {
    if (unresumed.replace(job, before, why)) {
      log.error("job={} cannot be resumed: {}", job, why);
      explain(job, why);
    }
  }

  private StoredJob ofThisVersion(StoredJob job) {
    String policy = job.spec().tuning().policy();
    int here = Policies.version(policy);
    if (job.policyVersion() == 0 || job.policyVersion() == here) {
      return job;
    }
    JobState state =
        ports.jobs().standing(job.id()).map(JobStore.Standing::state).orElse(JobState.QUEUED);
    if (JobStore.isOfAnotherVersion(state, job.policyVersion(), here)) {
      throw new EspalierException(
          ErrorCode.VERSION_MISMATCH,
          "it was begun by version %d of the policy %s, and this server has version %d"
              .formatted(job.policyVersion(), policy, here));
    }
    ports.jobs().putPolicyVersion(job.id(), here);
    return new StoredJob(job.id(), job.spec(), here, job.dataFingerprint());
  }

  @Override
  public String submit(JobSpec spec, String actor, Optional<String> request) {
    requireOpen();
    Optional<String> made = request.flatMap(ports.jobs()::madeBy);
    if (made.isPresent()) {
      beginAfterAll(made.get());
      return made.get();
    }
    ProgramDescriptor program = programOf(spec);
    String data = dataFolder.apply(spec);
    String fingerprint = fingerprint(spec, data);
    var job =
        new StoredJob(
            newId(),
            spec.withPrior(prior(spec, program, fingerprint)),
            Policies.version(spec.tuning().policy()),
            fingerprint);
    // Before it is written down: what no runner can be made for is refused.
    SessionRunner runner = runner(job, program, data);
    beginning.add(job.id());
    try {
      ports.jobs().create(job, actor, request);
      start(job.id(), runner);
    } catch (RuntimeException failure) {
      // It may be written down all the same, and then somebody has to begin it.
      synchronized (unresumed) {
        doubtedSince.put(job.id(), System.nanoTime());
        unresumed.put(job.id(), IN_DOUBT);
        beginning.remove(job.id());
      }
      throw failure;
    }
    beginning.remove(job.id());
    log.info("job={} program={} actor={} submitted", job.id(), spec.program(), actor);
    return job.id();
  }

  /// Data of workers that come by themselves lie where the workers are: only their name is known.
  private static String fingerprint(JobSpec spec, String data) {
    return spec.launch() == JobSpec.Launch.LOCAL
        ? DataFingerprint.of(data)
        : spec.data().orElse("");
  }

  /// What is known now stays with the job, so that it decides the same when it is replayed.
  private List<Prior> prior(JobSpec spec, ProgramDescriptor program, String fingerprint) {
    boolean isWanted = spec.tuning().warmStart() && spec.tuning().races();
    return isWanted
        ? Experience.of(
            spec, program, fingerprint, ports.jobs().finished(spec.program(), Experience.LOOK_BACK))
        : List.of();
  }

  /// Ids sort by time: milliseconds, then 40 random bits.
  private String newId() {
    byte[] tail = new byte[5];
    random.nextBytes(tail);
    return "job_%012x%s".formatted(System.currentTimeMillis(), HexFormat.of().formatHex(tail));
  }

  private ProgramDescriptor programOf(JobSpec spec) {
    return programs
        .find(spec.program())
        .orElseThrow(() ->
            new EspalierException(
                ErrorCode.INVALID_JOB,
                "program " + spec.program() + " is not registered on this server"));
  }

  /// A folder that has gone since the job began is named all the same: workers that run need it no
  /// more, and new ones say clearly what is missing.
  private String dataOrName(JobSpec spec) {
    try {
      return dataFolder.apply(spec);
    } catch (EspalierException gone) {
      return spec.data().orElse("");
    }
  }

  /// Gives a job its runner; one that comes when the server goes down is the next one's.
  private synchronized void start(String job, SessionRunner runner) {
    if (closing) {
      return;
    }
    ports.gateway().expect(job);
    runners.put(job, runner);
    var _ = runner.ended().whenComplete((_, _) -> ended(job, runner));
    runner.start();
  }

  private SessionRunner runner(StoredJob job, ProgramDescriptor program, String data) {
    return new SessionRunner(job, program, data, ports, slots);
  }

  /// Workers of a job that goes on at the next server are to wait for it.
  private void ended(String job, SessionRunner runner) {
    if (runner.isSuperseded()) {
      elsewhere.add(job);
      runners.remove(job, runner);
      return;
    }
    if (runners.remove(job, runner) && !closing) {
      ports.gateway().forget(job);
    }
  }

  @Override
  public void request(
      String job, UserRequest request, String actor, Optional<LongPredicate> isExpected) {
    var turn = new Turn(isExpected);
    SessionRunner runner = runners.get(job);
    if (runner == null) {
      withoutRunner(job, request, actor, turn);
      return;
    }
    if (request instanceof UserRequest.Try(Setting setting)) {
      requireValid(job, setting);
    }
    runner.request(request, actor, turn);
  }

  /// A job that cannot be resumed can still be ended.
  private void withoutRunner(String job, UserRequest request, String actor, Turn turn) {
    JobStore.Standing standing =
        ports
            .jobs()
            .standing(job)
            .orElseThrow(
                () -> new EspalierException(ErrorCode.NOT_FOUND, "there is no job " + job));
    if (standing.state().isTerminal()) {
      throw new EspalierException(
          ErrorCode.WRONG_STATE, "job " + job + " has ended; nothing was changed");
    }
    requireOpen();
    // Looked up before: a job that is taken out of the list is in one of the others by then.
    String why = unresumed.getOrDefault(job, NO_RUNNER);
    if (beginning.contains(job) || runners.containsKey(job) || why.equals(IN_DOUBT)) {
      throw new EspalierException(
          ErrorCode.NOT_READY, "job " + job + " is beginning; ask again in a moment");
    }
    if (elsewhere.contains(job)) {
      throw new EspalierException(
          ErrorCode.NOT_READY, "another server runs job " + job + "; ask that one");
    }
    if (!(request instanceof UserRequest.Kill) && !(request instanceof UserRequest.Cancel)) {
      throw new EspalierException(
          ErrorCode.WRONG_STATE,
          "job " + job + " can only be ended, for it cannot be resumed: " + why);
    }
    if (!turn.take(standing.version())) {
      turn.await();
    }
    if (!why.equals(NO_RUNNER) && !unresumed.remove(job, why)) {
      throw new EspalierException(
          ErrorCode.NOT_READY, "job " + job + " is being resumed; ask again in a moment");
    }
    ports.launcher().kill(job);
    try {
      ports
          .publisher()
          .publish(
              ports
                  .jobs()
                  .fail(
                      job,
                      JobStore.NOT_RESUMED,
                      "Ended by " + actor + "; it could not be resumed: " + why));
    } catch (EspalierException away) {
      if (!why.equals(NO_RUNNER)) {
        unresumed.put(job, why);
      }
      throw away;
    }
    ports.gateway().forget(job);
  }

  @Override
  public void delete(String job, String actor) {
    requireOpen();
    SessionRunner runner = runners.get(job);
    boolean isEnding =
        runner != null
            && ports.jobs().standing(job).filter(now -> now.state().isTerminal()).isPresent();
    if (isEnding) {
      throw new EspalierException(
          ErrorCode.NOT_READY, "job " + job + " is just ending; ask again in a moment");
    }
    remove(job);
    log.info("job={} actor={} deleted", job, actor);
  }

  /// Files go before rows: what is cut off between them is found again by its row.
  private void remove(String job) {
    if (!removing.add(job)) {
      throw new EspalierException(
          ErrorCode.NOT_READY, "job " + job + " is being deleted; there is nothing left to ask");
    }
    try {
      ports.jobs().hide(job);
      ports.launcher().kill(job);
      ports.launcher().discard(job);
      ports.jobs().delete(job);
    } finally {
      removing.remove(job);
    }
  }

  private void requireOpen() {
    if (closing || !isOpen) {
      throw new EspalierException(
          ErrorCode.NOT_READY,
          "the server is %s; ask again in a moment".formatted(closing ? "going down" : "starting"));
    }
  }

  private void requireValid(String job, Setting setting) {
    JobSpec spec = ports.jobs().find(job).orElseThrow().spec();
    var space =
        new SearchSpace(spec.tunables().isEmpty() ? programOf(spec).tunables() : spec.tunables());
    List<Problem> problems =
        space.problemsOf(space.defaults().with(setting)).stream()
            .map(problem -> problem.below("/setting"))
            .toList();
    if (!problems.isEmpty()) {
      throw new EspalierException(
          ErrorCode.INVALID_SETTING, "the setting does not fit the job's search space", problems);
    }
  }

  /// Stops the runners; jobs and their workers go on and are resumed by the next server.
  @Override
  public void close() {
    retries.shutdownNow();
    List<SessionRunner> live;
    synchronized (this) {
      closing = true;
      slots.stop();
      live = List.copyOf(runners.values());
    }
    live.forEach(SessionRunner::shutdown);
    live.forEach(runner -> runner.ended().join());
  }
}
