package dev.espalier.tuner.app;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
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
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.LongPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The live runners by job; brings them back from their logs when the server starts.
public final class SessionDirectory implements JobService, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SessionDirectory.class);

  private final RunnerPorts ports;
  private final ProgramRegistry programs;
  private final Function<JobSpec, String> dataFolder;
  private final Map<String, SessionRunner> runners = new ConcurrentHashMap<>();
  private final SecureRandom random = new SecureRandom();
  private final JobSlots slots;

  /// Jobs that this server cannot bring back, with the reason.
  private final Map<String, String> unresumed = new ConcurrentHashMap<>();

  /// Jobs that another server has taken over.
  private final Set<String> elsewhere = ConcurrentHashMap.newKeySet();

  /// Jobs that are in the database, and have no runner yet.
  private final Set<String> beginning = ConcurrentHashMap.newKeySet();

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
      try {
        start(job, dataOrName(job.spec()));
      } catch (RuntimeException failure) {
        log.error("job={} cannot be resumed: {}", job.id(), failure.getMessage());
        unresumed.put(job.id(), String.valueOf(failure.getMessage()));
      }
    }
    ports.gateway().expectNoMore();
    isOpen = true;
  }

  @Override
  public String submit(JobSpec spec, String actor, Optional<String> request) {
    requireOpen();
    Optional<String> made = request.flatMap(ports.jobs()::madeBy);
    if (made.isPresent()) {
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
    beginning.add(job.id());
    try {
      ports.jobs().create(job, actor, request);
      start(job, data);
    } finally {
      beginning.remove(job.id());
    }
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
  private synchronized void start(StoredJob job, String data) {
    if (closing) {
      return;
    }
    ports.gateway().expect(job.id());
    var runner = new SessionRunner(job, programOf(job.spec()), data, ports, slots);
    runners.put(job.id(), runner);
    var _ = runner.ended().whenComplete((_, _) -> ended(job.id(), runner));
    Thread.ofVirtual().name("session-" + job.id()).start(runner);
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
    if (beginning.contains(job)) {
      throw new EspalierException(
          ErrorCode.NOT_READY, "job " + job + " is beginning; ask again in a moment");
    }
    if (elsewhere.contains(job)) {
      throw new EspalierException(
          ErrorCode.NOT_READY, "another server runs job " + job + "; ask that one");
    }
    String why = unresumed.getOrDefault(job, "its runner has failed");
    if (!(request instanceof UserRequest.Kill) && !(request instanceof UserRequest.Cancel)) {
      throw new EspalierException(
          ErrorCode.WRONG_STATE,
          "job " + job + " can only be ended, for it cannot be resumed: " + why);
    }
    if (!turn.take(standing.version())) {
      turn.await();
    }
    ports.launcher().kill(job);
    ports
        .jobs()
        .fail(job, "not-resumed", "Ended by " + actor + "; it could not be resumed: " + why);
    unresumed.remove(job);
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
    ports.jobs().delete(job);
    ports.launcher().kill(job);
    ports.launcher().discard(job);
    log.info("job={} actor={} deleted", job, actor);
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
            .map(message -> new Problem("/setting", message, setting.values().toString()))
            .toList();
    if (!problems.isEmpty()) {
      throw new EspalierException(
          ErrorCode.INVALID_SETTING, "the setting does not fit the job's search space", problems);
    }
  }

  /// Stops the runners; jobs and their workers go on and are resumed by the next server.
  @Override
  public void close() {
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
