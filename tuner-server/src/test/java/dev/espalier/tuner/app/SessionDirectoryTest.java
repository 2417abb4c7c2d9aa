package dev.espalier.tuner.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.SequencedCommand;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.TimeModel;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.api.rest.WorkerView;
import dev.espalier.programs.nn.MultilayerPerceptron;
import dev.espalier.runtime.link.TunerLink;
import dev.espalier.runtime.link.TunerLink.Inbound;
import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.app.port.JobStore.StoredJob;
import dev.espalier.tuner.app.port.ProgramRegistry;
import dev.espalier.tuner.app.port.Stalls;
import dev.espalier.tuner.app.port.TunerMeters;
import dev.espalier.tuner.app.port.WorkerGateway;
import dev.espalier.tuner.app.port.WorkerLauncher;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.QuadraticModel;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.SessionEvent.UserRequest;
import dev.espalier.tuner.core.session.SimulatedWorkers;
import dev.espalier.tuner.grpc.GrpcWorkerGateway;
import dev.espalier.tuner.grpc.WorkerServer;
import dev.espalier.tuner.grpc.WorkerSessionEndpoint;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Jobs that wait, end before they begin, cannot be resumed, or lose their runner.
@Timeout(60)
final class SessionDirectoryTest {
  private final Logs logs = new Logs();
  private final MemoryJobStore jobs = new MemoryJobStore();
  private final Launcher launcher = new Launcher();
  private final Programs programs = new Programs();
  private final Meters meters = new Meters();
  private final Stalls stalls = new Stalls();
  private Duration start = Duration.ofSeconds(30);
  private final List<StreamEvent> told = new CopyOnWriteArrayList<>();
  private final GrpcWorkerGateway gateway = new GrpcWorkerGateway();
  private final ListeningGateway listening = new ListeningGateway(gateway);

  @Test
  void aWaitingJobIsEndedWithoutWorkers() {
    try (SessionDirectory sessions = sessions(1)) {
      String first = submit(sessions);
      await(() -> assertThat(launcher.launched).containsExactly(first));
      String second = submit(sessions);

      sessions.request(second, new UserRequest.Cancel(), "somebody");

      await(() -> assertThat(logs.state(second)).isEqualTo(JobState.CANCELED));
      assertThat(launcher.launched).containsExactly(first);
      assertThat(logs.decisions(second))
          .extracting(Decision::rule)
          .containsExactly("request.accepted");
    }
  }

  @Test
  void onlyJobsThatRunHaveAThreadOfTheSystem() throws Exception {
    int queued = 50;
    long before;
    try (SessionDirectory sessions = sessions(1)) {
      String first = submit(sessions);
      await(() -> assertThat(launcher.launched).containsExactly(first));
      for (int i = 0; i < queued; i++) {
        submit(sessions);
      }
      assertThat(Thread.getAllStackTraces().keySet())
          .extracting(Thread::getName)
          .filteredOn(name -> name.startsWith("session-"))
          .containsExactly("session-" + first);
      before = ManagementFactory.getThreadMXBean().getTotalStartedThreadCount();
    }
    // Nor do they get one in order to end.
    assertThat(ManagementFactory.getThreadMXBean().getTotalStartedThreadCount() - before)
        .isLessThan(queued);
  }

  @Test
  void whatIsAskedOfAWaitingJobIsHeardWhenItBegins() throws InterruptedException {
    try (SessionDirectory sessions = sessions(1)) {
      String first = submit(sessions);
      String second = submit(sessions);
      String third = submit(sessions);
      await(() -> assertThat(launcher.launched).containsExactly(first));
      sessions.request(third, new UserRequest.Pause(), "somebody");
      Thread.sleep(600);
      assertThat(launcher.launched).as("asking is no way to jump the queue").containsExactly(first);

      sessions.request(first, new UserRequest.Kill(), "somebody");
      await(() -> assertThat(launcher.launched).containsExactly(first, second));
      sessions.request(second, new UserRequest.Kill(), "somebody");
      await(() -> assertThat(launcher.launched).containsExactly(first, second, third));
      await(() -> assertThat(logs.state(third)).isEqualTo(JobState.PAUSED));
    }
  }

  @Test
  void aJobWhoseRunnerFailsIsFailedAndItsWorkersEnd() {
    try (SessionDirectory sessions = sessions(1)) {
      String job = submit(sessions);
      await(() -> assertThat(launcher.launched).containsExactly(job));
      launcher.killed.clear();
      logs.broken.add(job);

      isRefused(
          ErrorCode.WRONG_STATE, () -> sessions.request(job, new UserRequest.Pause(), "somebody"));

      await(() -> assertThat(launcher.killed).contains(job));
      assertThat(jobs.failures().get(job))
          .startsWith("INTERNAL: The job's runner failed")
          .contains("a zero \ufffd");
      await(() ->
          isRefused(
              ErrorCode.WRONG_STATE,
              () -> sessions.request(job, new UserRequest.Kill(), "somebody")));
      String next = submit(sessions);
      await(() -> assertThat(launcher.launched).as("its slot is free").contains(next));
    }
  }

  @Test
  void aRequestThatWasTakenIsADecisionThoughTheServerGoesDown() {
    SessionDirectory sessions = sessions(1);
    String job = submit(sessions);
    await(() -> assertThat(launcher.launched).containsExactly(job));
    sessions.request(job, new UserRequest.Pause(), "somebody");
    sessions.close();

    assertThat(logs.decisions(job))
        .extracting(Decision::outcome)
        .singleElement()
        .asString()
        .contains("pause");
    isRefused(
        ErrorCode.NOT_READY, () -> sessions.request(job, new UserRequest.Resume(), "somebody"));
  }

  @Test
  void aJobThatAnotherServerHasTakenOverIsLeftAlone() {
    try (SessionDirectory sessions = sessions(1)) {
      String job = submit(sessions);
      await(() -> assertThat(launcher.launched).containsExactly(job));
      launcher.killed.clear();
      logs.taken.add(job);

      for (UserRequest request : List.of(new UserRequest.Pause(), new UserRequest.Kill())) {
        assertThatThrownBy(() -> sessions.request(job, request, "somebody"))
            .hasMessageContaining("another server runs job " + job);
      }
      assertThat(jobs.failures()).isEmpty();
      assertThat(launcher.killed).isEmpty();
      String next = submit(sessions);
      await(() -> assertThat(launcher.launched).as("its slot is free").contains(next));
    }
  }

  @Test
  void whatIsAskedOfAWaitingJobOutlivesTheServer() {
    SessionDirectory before = sessions(1);
    String first = submit(before);
    String second = submit(before);
    await(() -> assertThat(launcher.launched).containsExactly(first));
    before.request(second, new UserRequest.Pause(), "somebody");
    before.close();

    assertThat(logs.decisions(second)).extracting(Decision::actor).containsExactly("somebody");
    assertThat(logs.state(second)).isEqualTo(JobState.QUEUED);
    assertThat(launcher.launched).containsExactly(first);

    try (SessionDirectory after = sessions(1)) {
      after.request(first, new UserRequest.Kill(), "somebody");
      await(() -> assertThat(logs.state(second)).isEqualTo(JobState.PAUSED));
      // The first one had logged nothing, so it may have begun once more before it was killed.
      await(() -> assertThat(launcher.launched).containsOnlyOnce(second).endsWith(second));
      assertThat(logs.of(second).events()).hasSize(1);
    }
  }

  @Test
  void aRequestBehindTheEndOfItsJobIsRefused() throws Exception {
    try (SessionDirectory sessions = sessions(1)) {
      String job = submit(sessions);
      await(() -> assertThat(launcher.launched).containsExactly(job));
      logs.isAway = true;
      var answers = new CopyOnWriteArrayList<String>();
      Thread pause = ask(sessions, job, new UserRequest.Pause(), answers);
      await(() -> assertThat(logs.refused).contains(job));
      Thread kill = ask(sessions, job, new UserRequest.Kill(), answers);
      Thread resume = ask(sessions, job, new UserRequest.Resume(), answers);

      logs.isAway = false;
      pause.join();
      kill.join();
      resume.join();

      assertThat(answers)
          .containsExactlyInAnyOrder("Pause taken", "Kill taken", "Resume WRONG_STATE");
    }
  }

  /// The runner cannot store what it has taken, and the server goes down.
  @Test
  void aRequestThatIsNotStoredIsRefusedWhenTheServerGoesDown() throws Exception {
    SessionDirectory sessions = sessions(1);
    String job = submit(sessions);
    await(() -> assertThat(launcher.launched).containsExactly(job));
    logs.isAway = true;
    var answers = new CopyOnWriteArrayList<String>();
    Thread pause = ask(sessions, job, new UserRequest.Pause(), answers);
    await(() -> assertThat(logs.refused).contains(job));
    assertThat(answers).isEmpty();

    sessions.close();
    pause.join();

    assertThat(answers).containsExactly("Pause NOT_READY");
    logs.isAway = false;
    assertThat(logs.decisions(job)).isEmpty();
  }

  @Test
  void nothingIsTakenWithoutTheDatabase() {
    try (SessionDirectory sessions = sessions(1)) {
      String job = submit(sessions);
      await(() -> assertThat(launcher.launched).containsExactly(job));
      jobs.isAway = true;

      isRefused(
          ErrorCode.DATABASE_AWAY,
          () -> sessions.request(job, new UserRequest.Pause(), "somebody"));

      jobs.isAway = false;
      assertThat(logs.of(job).events()).isEmpty();
      sessions.request(job, new UserRequest.Pause(), "somebody");
      assertThat(logs.decisions(job)).hasSize(1);
    }
  }

  /// Its state says that it goes on, and cannot say otherwise: nothing can be written down.
  @Test
  void aJobWhoseLogCannotBeWrittenSaysThatItStandsStill() {
    logs.isAway = true;
    try (SessionDirectory sessions = sessions(1)) {
      String job = submit(sessions);

      await(() -> assertThat(stalls.of(job)).map(JobView.Stall::reason).contains("away"));
      Instant since = stalls.of(job).orElseThrow().since();
      await(() -> assertThat(logs.tries.get()).isGreaterThan(2));
      assertThat(stalls.of(job)).map(JobView.Stall::since).contains(since);

      logs.isAway = false;
      await(() -> assertThat(stalls.of(job)).isEmpty());
      await(() ->
          assertThat(told.stream().filter(event -> event.type().equals("job.stalled")))
              .extracting(StreamEvent::data)
              .containsExactly(Map.of("stall", new JobView.Stall(since, "away")), Map.of()));
    }
  }

  /// Its log says so too: somebody asked.
  @Test
  void aRequestThatDoesNotFitTheJobIsRefused() {
    try (SessionDirectory sessions = sessions(1)) {
      String running = submit(sessions);
      String waiting = submit(sessions);
      await(() -> assertThat(launcher.launched).containsExactly(running));
      for (String job : List.of(running, waiting)) {
        assertThatThrownBy(() -> sessions.request(job, new UserRequest.Resume(), "somebody"))
            .hasMessage("the job is not paused; nothing was changed")
            .isInstanceOfSatisfying(
                EspalierException.class,
                refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.WRONG_STATE));

        sessions.request(job, new UserRequest.Pause(), "somebody");
        assertThatThrownBy(() -> sessions.request(job, new UserRequest.Pause(), "somebody"))
            .hasMessage("the job is paused already; nothing was changed");

        assertThat(logs.decisions(job))
            .extracting(Decision::rule)
            .containsExactly("request.ignored", "request.accepted", "request.ignored");
      }
    }
  }

  /// Nothing is left to do for a server that is killed.
  @Test
  void whatIsAskedOfAWaitingJobIsStoredAtOnce() {
    try (SessionDirectory sessions = sessions(1)) {
      String first = submit(sessions);
      String second = submit(sessions);
      await(() -> assertThat(launcher.launched).containsExactly(first));

      sessions.request(second, new UserRequest.Pause(), "somebody");

      assertThat(logs.of(second).events()).hasSize(1);
      assertThat(logs.decisions(second)).hasSize(1);
      assertThat(logs.state(second)).isEqualTo(JobState.QUEUED);
    }
  }

  @Test
  void aJobThatWaitsSaysForWhatAndWhetherItIsPaused() {
    try (SessionDirectory sessions = sessions(1)) {
      String first = submit(sessions);
      String second = submit(sessions);
      await(() -> assertThat(launcher.launched).containsExactly(first));

      sessions.request(second, new UserRequest.Pause(), "somebody");

      assertThat(logs.shown(second))
          .isEqualTo(
              new SessionEffect.JobChanged(
                  JobState.QUEUED,
                  "paused",
                  "Paused by somebody before its turn",
                  "a request to resume"));
      sessions.request(second, new UserRequest.Resume(), "somebody");
      assertThat(logs.shown(second))
          .isEqualTo(
              new SessionEffect.JobChanged(
                  JobState.QUEUED,
                  "submitted",
                  "waits for its turn",
                  "one of max-jobs-running places"));
      sessions.request(second, new UserRequest.Pause(), "somebody");
      sessions.request(first, new UserRequest.Kill(), "somebody");
      await(() -> assertThat(logs.state(second)).isEqualTo(JobState.PAUSED));
    }
  }

  /// {@return who asks, when the request stands in the mailbox}
  private static Thread ask(
      SessionDirectory sessions, String job, UserRequest request, List<String> answers) {
    String name = request.getClass().getSimpleName();
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              try {
                sessions.request(job, request, "somebody");
                answers.add(name + " taken");
              } catch (EspalierException refusal) {
                answers.add(name + " " + refusal.code());
              }
            });
    await(() -> assertThat(thread.getState()).isEqualTo(Thread.State.TIMED_WAITING));
    return thread;
  }

  @Test
  void jobsAreTakenInWhenTheServerKnowsItsOwnAndUntilItGoes() {
    SessionDirectory sessions = closed(2);
    isRefused(ErrorCode.NOT_READY, () -> submit(sessions));
    sessions.resumeAll();
    String first = submit(sessions);
    await(() -> assertThat(launcher.launched).containsExactly(first));

    sessions.resumeAll();
    String second = submit(sessions);

    await(() -> assertThat(launcher.launched).as("no second runner").contains(second));
    sessions.close();
    isRefused(ErrorCode.NOT_READY, () -> submit(sessions));
    assertThat(jobs.unfinished()).extracting(StoredJob::id).containsOnly(first, second);
  }

  @Test
  void reportsWaitAtTheWorkersWhenTooManyWaitHere() {
    try (SessionDirectory sessions = sessions(1)) {
      String job = submit(sessions);
      await(() -> assertThat(launcher.launched).containsExactly(job));
      WorkerGateway.Listener listener = listening.listeners.get(job);
      logs.isAway = true;
      ask(sessions, job, new UserRequest.Pause(), new CopyOnWriteArrayList<>());
      await(() -> assertThat(logs.refused).contains(job));
      int reports = 0;
      while (listener.takesReports() && reports < 100) {
        listener.reported(0, ++reports, clocks((reports - 1) * 10_000, 10_000));
      }
      assertThat(reports).isEqualTo(5);
      assertThat(listening.asked).isEmpty();

      logs.isAway = false;

      await(() -> assertThat(listening.asked).containsExactly(job));
      assertThat(listener.takesReports()).isTrue();
    }
  }

  private static WorkerReport clocks(long from, int count) {
    return new WorkerReport.Progressed(
        BranchId.ROOT,
        from,
        Collections.nCopies(count, 1.0),
        Collections.nCopies(count, 1L),
        Collections.nCopies(count, 0.1));
  }

  @Test
  void ofTwoRequestsForOneVersionTheSecondIsRefused() throws InterruptedException {
    try (SessionDirectory sessions = sessions(1)) {
      String job = submit(sessions);
      await(() -> assertThat(launcher.launched).containsExactly(job));
      long seen = version(job);
      var refusals = new CopyOnWriteArrayList<ErrorCode>();
      List<Thread> people =
          Stream.of(new UserRequest.Pause(), new UserRequest.Pause())
              .map(request ->
                  Thread.ofVirtual()
                      .start(() -> {
                        try {
                          sessions.request(job, request, "somebody", Optional.of(v -> v == seen));
                        } catch (EspalierException refusal) {
                          refusals.add(refusal.code());
                        }
                      }))
              .toList();
      for (Thread person : people) {
        person.join();
      }

      assertThat(refusals).containsExactly(ErrorCode.VERSION_MISMATCH);
      await(() -> assertThat(version(job)).isGreaterThan(seen));
    }
  }

  @Test
  void aVersionIsComparedThoughTheJobWaits() {
    try (SessionDirectory sessions = sessions(1)) {
      String first = submit(sessions);
      await(() -> assertThat(launcher.launched).containsExactly(first));
      String second = submit(sessions);

      isRefused(
          ErrorCode.VERSION_MISMATCH,
          () ->
              sessions.request(
                  second, new UserRequest.Kill(), "somebody", Optional.of(v -> v == 99)));
      sessions.request(second, new UserRequest.Kill(), "somebody", Optional.of(v -> v == 1));

      await(() -> assertThat(logs.state(second)).isEqualTo(JobState.CANCELED));
    }
  }

  private long version(String job) {
    return jobs.standing(job).orElseThrow().version();
  }

  /// The server must not look for them among its own files.
  @Test
  void dataOfWorkersThatComeByThemselvesAreKnownByTheirNameAlone() {
    JobSpec spec =
        JobSpecReader.read(
                Map.of("program", "mlp", "launch", "external", "data", "mnist"), programs::find)
            .spec()
            .orElseThrow();
    try (SessionDirectory sessions = sessions(1)) {
      String job = sessions.submit(spec, "somebody", Optional.empty());
      assertThat(jobs.find(job)).get().extracting(StoredJob::dataFingerprint).isEqualTo("mnist");
    }
  }

  @Test
  void aJobThatCannotBeResumedCanBeEnded() {
    var job = new StoredJob("job_1", spec());
    jobs.create(job, "somebody", Optional.empty());
    try (SessionDirectory sessions = closed(1)) {
      isRefused(
          ErrorCode.NOT_READY,
          () -> sessions.request(job.id(), new UserRequest.Kill(), "somebody"));

      programs.areGone = true;
      sessions.resumeAll();

      assertThatThrownBy(() -> sessions.request(job.id(), new UserRequest.Pause(), "somebody"))
          .hasMessageContaining("can only be ended")
          .hasMessageContaining("program mlp is not registered");
      isRefused(
          ErrorCode.VERSION_MISMATCH,
          () ->
              sessions.request(
                  job.id(), new UserRequest.Kill(), "somebody", Optional.of(v -> v == 99)));
      sessions.request(job.id(), new UserRequest.Kill(), "somebody");
      assertThat(jobs.failures().get(job.id())).contains("Ended by somebody");
      isRefused(
          ErrorCode.WRONG_STATE,
          () -> sessions.request(job.id(), new UserRequest.Kill(), "somebody"));
      isRefused(
          ErrorCode.NOT_FOUND, () -> sessions.request("job_2", new UserRequest.Kill(), "somebody"));
    }
  }

  /// The database has ended it, and goes away before it says so.
  @Test
  void aJobThatWasEndedAfterAllIsNotResumed() {
    var job = new StoredJob("job_1", spec());
    jobs.create(job, "somebody", Optional.empty());
    programs.areGone = true;
    try (SessionDirectory sessions = sessions(1)) {
      jobs.isNextAnswerLost = true;
      isRefused(
          ErrorCode.DATABASE_AWAY,
          () -> sessions.request(job.id(), new UserRequest.Kill(), "somebody"));

      programs.areGone = false;
      sessions.retry();

      assertThat(jobs.failures()).containsKey(job.id());
      assertThat(logs.read).doesNotContain(job.id());
      isRefused(
          ErrorCode.WRONG_STATE,
          () -> sessions.request(job.id(), new UserRequest.Kill(), "somebody"));
    }
  }

  /// The database has written it down, and goes away before it says so.
  @Test
  void aJobThatWasSubmittedAfterAllBegins() {
    JobSpec spec = spec();
    try (SessionDirectory sessions = sessions(2)) {
      for (String request : List.of("asked again", "not asked again")) {
        jobs.isNextAnswerLost = true;
        isRefused(
            ErrorCode.DATABASE_AWAY, () -> sessions.submit(spec, "somebody", Optional.of(request)));
      }

      String again = sessions.submit(spec, "somebody", Optional.of("asked again"));
      await(() -> assertThat(launcher.launched).contains(again));

      sessions.retry();
      String other = jobs.madeBy("not asked again").orElseThrow();
      await(() -> assertThat(launcher.launched).containsExactlyInAnyOrder(again, other));
      sessions.request(other, new UserRequest.Pause(), "somebody");
    }
  }

  /// Its log would lead another version elsewhere, and workers have done what the old one said.
  @Test
  void aJobIsNotResumedByAnotherVersionOfItsPolicy() {
    int version = Policies.version(spec().tuning().policy());
    var running = new StoredJob("job_1", spec(), version - 1, "");
    var waiting = new StoredJob("job_2", spec(), version - 1, "");
    jobs.create(running, "somebody", Optional.empty());
    jobs.create(waiting, "somebody", Optional.empty());
    logs.of("job_1").append(logOf("job_1", new SessionEvent.WorkersReady(1, 1, 1, 1000, 10)));
    jobs.change("job_1", JobState.TRAINING);
    try (SessionDirectory sessions = sessions(2)) {
      await(() -> assertThat(launcher.launched).containsExactly("job_2"));

      assertThat(jobs.find("job_2")).get().extracting(StoredJob::policyVersion).isEqualTo(version);
      assertThat(jobs.find("job_1")).get().isEqualTo(running);
      assertThat(jobs.explained().get("job_1")).startsWith("It cannot be resumed: it was begun by");
      sessions.retry();
      assertThat(logs.read).as("its log may be long").doesNotContain("job_1");
      assertThat(listening.listeners).doesNotContainKey("job_1");
      assertThat(launcher.killed).as("its workers wait for a server").doesNotContain("job_1");
      assertThatThrownBy(() -> sessions.request("job_1", new UserRequest.Pause(), "somebody"))
          .hasMessageContaining("begun by version %d of the policy racing", version - 1)
          .hasMessageContaining("this server has version %d", version);
      sessions.request("job_1", new UserRequest.Kill(), "somebody");
      assertThat(jobs.failures()).containsKey("job_1");
    }
  }

  private static EventLog.Commit logOf(String job, SessionEvent... events) {
    return new EventLog.Commit(job, 1, List.of(events), List.of(), List.of());
  }

  /// Its jar is taken away while the job is submitted.
  @Test
  void aJobThatIsWrittenDownHasARunner() {
    JobSpec spec = spec();
    try (SessionDirectory sessions = sessions(1)) {
      programs.leftToFind = 1;
      String job = sessions.submit(spec, "somebody", Optional.empty());

      await(() -> assertThat(launcher.launched).containsExactly(job));
      isRefused(ErrorCode.INVALID_JOB, () -> sessions.submit(spec, "somebody", Optional.empty()));
      assertThat(jobs.unfinished()).extracting(StoredJob::id).containsExactly(job);
    }
  }

  /// All workers find the checkpoint damaged that they are to start from.
  @Test
  void oneDamagedCheckpointIsGivenUpHoweverManyWorkersSaySo() {
    JobSpec spec = fixedOfTwo();
    String job = "job_1";
    jobs.create(new StoredJob(job, spec), "somebody", Optional.empty());
    SessionEvent[] log = untilSecondCheckpointAndLoss(spec);
    logs.of(job).append(logOf(job, log));
    jobs.change(job, JobState.STARTING);
    try (SessionDirectory sessions = sessions(1)) {
      await(() -> assertThat(listening.listeners).containsKey(job));
      WorkerGateway.Listener workers = listening.listeners.get(job);
      logs.isAway = true;
      ask(sessions, job, new UserRequest.Pause(), new CopyOnWriteArrayList<>());
      await(() -> assertThat(logs.refused).contains(job));
      workers.reported(0, 1, new WorkerReport.Failed(ErrorCode.CHECKPOINT_FAILED, "torn"));
      workers.reported(1, 1, new WorkerReport.Failed(ErrorCode.CHECKPOINT_FAILED, "torn"));
      logs.isAway = false;

      await(() -> assertThat(launcher.launched).containsExactly(job));
      sessions.request(job, new UserRequest.Resume(), "somebody");
      assertThat(logs.of(job).events())
          .filteredOn(SessionEvent.ProgramFailed.class::isInstance)
          .hasSize(1);
      assertThat(logs.decisions(job))
          .extracting(Decision::key)
          .contains("checkpoint-2/damaged")
          .doesNotContain("checkpoint-1/damaged");
      assertThat(launcher.launched).containsExactly(job);
    }
  }

  /// They were all there, and are sent away: no reason to start the next at once.
  @Test
  void workersThatOpenOtherDataAreStartedAgainAfterPauses() {
    JobSpec spec = fixedOfTwo();
    String job = "job_1";
    jobs.create(new StoredJob(job, spec), "somebody", Optional.empty());
    logs.of(job).append(logOf(job, untilSecondCheckpointAndLoss(spec)));
    jobs.change(job, JobState.STARTING);
    try (SessionDirectory _ = sessions(1)) {
      await(() -> assertThat(launcher.launched).hasSize(1));
      for (int launches = 2; launches <= 3; launches++) {
        int expected = launches;
        WorkerGateway.Listener workers = listening.listeners.get(job);
        workers.reported(0, 1, new WorkerReport.Ready(77, 32));
        workers.reported(1, 1, new WorkerReport.Ready(77, 32));
        await(() -> assertThat(launcher.launched).hasSize(expected));
      }

      assertThat(launcher.pauses())
          .extracting(Duration::toMillis)
          .satisfiesExactly(
              first -> assertThat(first).isGreaterThanOrEqualTo(1_000L),
              second -> assertThat(second).isGreaterThanOrEqualTo(2_000L));
      assertThat(logs.decisions(job))
          .filteredOn(decision -> decision.outcome().contains("the data have changed"))
          .hasSize(2);
    }
  }

  @Test
  void whatIsReplayedIsCountedNoSecondTime() {
    JobSpec spec = fixedOfTwo();
    SessionEvent[] log = untilSecondCheckpointAndLoss(spec);
    jobs.create(new StoredJob("job_1", spec), "somebody", Optional.empty());
    logs.of("job_1").append(logOf("job_1", Arrays.copyOf(log, log.length - 1)));
    jobs.change("job_1", JobState.TRAINING);
    try (SessionDirectory _ = sessions(1)) {
      await(() -> assertThat(listening.listeners).containsKey("job_1"));
      await(() -> assertThat(meters.shares).containsKey("job_1"));
      assertThat(meters.branches.get("job_1")).isPositive();
      assertThat(meters.clocks).hasValue(0);
    }
  }

  private JobSpec fixedOfTwo() {
    return JobSpecReader.read(
            Map.of("program", "mlp", "workers", 2, "tuning", Map.of("policy", "fixed")),
            programs::find)
        .spec()
        .orElseThrow();
  }

  private SessionEvent[] untilSecondCheckpointAndLoss(JobSpec spec) {
    var session = Policies.open(JobPlans.of(spec, programs.mlp));
    var run =
        new SimulatedWorkers(
                session,
                QuadraticModel.quiet(1),
                new TimeModel(0.002, 0.00005),
                "error",
                2,
                6400,
                10)
            .run();
    var log = new ArrayList<SessionEvent>();
    for (SessionEvent event : run.events()) {
      log.add(event);
      if (event instanceof SessionEvent.CheckpointWritten written && written.checkpoint() == 2) {
        log.add(new SessionEvent.WorkersLost(event.atSeconds(), 1, "the machine is gone"));
        break;
      }
    }
    return log.toArray(SessionEvent[]::new);
  }

  @Test
  void eachProblemOfASettingNamesItsTunable() {
    try (SessionDirectory sessions = sessions(1)) {
      String job = submit(sessions);
      Setting setting = Setting.of(Map.of("learningRate", -1.0, "wings", 2.0));

      assertThatThrownBy(() -> sessions.request(job, new UserRequest.Try(setting), "somebody"))
          .isInstanceOfSatisfying(
              EspalierException.class,
              refusal ->
                  assertThat(refusal.problems())
                      .extracting(problem -> problem.pointer() + " " + problem.rejected())
                      .containsExactly("/setting/learningRate -1", "/setting/wings 2"));
    }
  }

  /// The server before had another version, and said so.
  @Test
  void aJobThatIsResumedAgainShowsWhatItDoes() {
    JobSpec spec = fixedOfTwo();
    SessionEvent[] log = untilSecondCheckpointAndLoss(spec);
    jobs.create(new StoredJob("job_1", spec), "somebody", Optional.empty());
    logs.of("job_1").append(logOf("job_1", log));
    jobs.change("job_1", JobState.STARTING);
    jobs.explain("job_1", "It cannot be resumed");
    try (SessionDirectory _ = sessions(1)) {
      await(() -> assertThat(jobs.explained()).isEmpty());
      assertThat(logs.state("job_1")).isEqualTo(JobState.STARTING);
    }
  }

  /// The jar of its program could not be read when the server started.
  @Test
  void aJobWhoseProgramComesLaterIsResumedThen() {
    var job = new StoredJob("job_1", spec());
    jobs.create(job, "somebody", Optional.empty());
    programs.areGone = true;
    try (SessionDirectory sessions = sessions(1)) {
      sessions.retry();
      isRefused(
          ErrorCode.WRONG_STATE,
          () -> sessions.request(job.id(), new UserRequest.Pause(), "somebody"));

      programs.areGone = false;
      sessions.retry();
      sessions.retry();

      await(() -> assertThat(launcher.launched).containsExactly(job.id()));
      sessions.request(job.id(), new UserRequest.Pause(), "somebody");
    }
  }

  /// It is looked for every half minute.
  @Test
  void whyAJobStandsStillIsToldOnceAndAnewWhenItIsAnother() {
    jobs.create(new StoredJob("job_1", spec()), "somebody", Optional.empty());
    programs.areGone = true;
    try (SessionDirectory sessions = sessions(1)) {
      sessions.retry();
      sessions.retry();
      assertThat(jobs.explanations).hasSize(1).first().asString().contains("not registered");

      programs.why = "its jar cannot be read";
      sessions.retry();
      sessions.retry();

      assertThat(jobs.explanations).hasSize(2).last().asString().contains("cannot be read");
      assertThatThrownBy(() -> sessions.request("job_1", new UserRequest.Pause(), "somebody"))
          .hasMessageContaining("its jar cannot be read");
    }
  }

  @Test
  void workersThatCannotBeStartedAreStartedWhenTheyCan() {
    launcher.failures.set(2);
    try (SessionDirectory sessions = sessions(1)) {
      String job = submit(sessions);

      await(() -> assertThat(stalls.of(job)).isPresent());
      await(() -> assertThat(launcher.launched).containsExactly(job));
      assertThat(launcher.failures.get()).isZero();
      assertThat(logs.state(job)).isEqualTo(JobState.STARTING);
      await(() -> assertThat(stalls.of(job)).isEmpty());
    }
  }

  @Test
  void workersThatEndAtOnceAreStartedAgainAfterPauses() {
    launcher.exits.set(3);
    try (SessionDirectory sessions = sessions(1)) {
      String job = submit(sessions);

      await(() -> assertThat(launcher.launched).containsExactly(job, job, job, job));

      assertThat(launcher.pauses())
          .extracting(Duration::toMillis)
          .satisfiesExactly(
              first -> assertThat(first).isBetween(1_000L, 4_000L),
              second -> assertThat(second).isGreaterThanOrEqualTo(2_000L),
              third -> assertThat(third).isGreaterThanOrEqualTo(4_000L));
      assertThat(logs.state(job)).isEqualTo(JobState.STARTING);
      assertThat(stalls.all()).isEmpty();
      assertThat(logs.read(job, 0).getLast().atSeconds()).as("time of the job").isLessThan(2);
    }
  }

  @Test
  void aLaunchThatWaitsWhenTheServerGoesDownIsDoneByTheNext() {
    launcher.failures.set(Integer.MAX_VALUE);
    String job;
    try (SessionDirectory sessions = sessions(1)) {
      job = submit(sessions);
      await(() -> assertThat(stalls.of(job)).isPresent());
    }
    assertThat(launcher.launched).isEmpty();
    launcher.failures.set(0);

    start = Duration.ofMillis(300);
    try (SessionDirectory _ = sessions(1)) {
      await(() -> assertThat(launcher.launched).containsExactly(job));
      assertThat(logs.state(job)).isEqualTo(JobState.STARTING);
    }
  }

  /// Workers that are not there were not lost: nobody had started them.
  @Test
  void aLaunchThatWaitsAfterALossIsDoneByTheNextServerAndIsNoLoss() {
    launcher.exits.set(1);
    String job;
    try (SessionDirectory sessions = sessions(1)) {
      job = submit(sessions);
      await(() -> assertThat(logs.of(job).events()).hasSize(1));
    }
    assertThat(launcher.generations).containsExactly(1);

    try (SessionDirectory _ = sessions(1)) {
      await(() -> assertThat(launcher.generations).containsExactly(1, 2));
      assertThat(logs.of(job).events()).hasSize(1);
    }

    try (SessionDirectory _ = sessions(1)) {
      await(() -> assertThat(launcher.watched).containsExactly(job));
      assertThat(launcher.generations).as("its workers are there").containsExactly(1, 2);
    }

    launcher.gone.add(job);
    try (SessionDirectory _ = sessions(1)) {
      await(() -> assertThat(launcher.generations).as("they are not").containsExactly(1, 2, 3));
      assertThat(logs.of(job).events()).as("what started and is gone is a loss").hasSize(2);
    }
  }

  @Test
  void aJobThatEndsWhileItsWorkersCannotBeStartedStartsNone() throws InterruptedException {
    launcher.failures.set(1);
    try (SessionDirectory sessions = sessions(1)) {
      String job = submit(sessions);
      await(() -> assertThat(stalls.of(job)).isPresent());

      sessions.request(job, new UserRequest.Kill(), "somebody");

      await(() -> assertThat(logs.state(job)).isEqualTo(JobState.CANCELED));
      Thread.sleep(2_500);
      assertThat(launcher.launched).isEmpty();
      assertThat(stalls.of(job)).isEmpty();
    }
  }

  @Test
  void workersOfAWaitingJobWaitForItAndLearnThatItEnded() throws Exception {
    SessionDirectory sessions = sessions(1);
    try (WorkerServer server =
        WorkerServer.start("127.0.0.1", 0, new WorkerSessionEndpoint(gateway, "token"::equals))) {
      submit(sessions);
      String second = submit(sessions);
      String third = submit(sessions);
      try (TunerLink ofSecond = link(server, second);
          TunerLink ofThird = link(server, third)) {
        await(() -> assertThat(ofSecond.notYet()).contains("waits for its turn"));

        sessions.request(second, new UserRequest.Kill(), "somebody");

        assertThat(ofSecond.inbox().poll(20, TimeUnit.SECONDS))
            .isInstanceOfSatisfying(
                Inbound.TurnedAway.class, end -> assertThat(end.code()).isEqualTo("NOT_FOUND"));
        sessions.close();
        assertThat(ofThird.inbox().poll(3, TimeUnit.SECONDS))
            .as("the next server has this job")
            .isNull();
      }
    }
  }

  private static TunerLink link(WorkerServer server, String job) {
    return TunerLink.open(
        new TunerLink.Identity(
            "127.0.0.1:" + server.port(), job, "token", 0, -1, "127.0.0.1:1", Optional.empty()));
  }

  @Test
  void aJobThatHasEndedCanBeDeleted() {
    try (SessionDirectory sessions = sessions(1)) {
      String job = submit(sessions);
      await(() -> assertThat(launcher.launched).containsExactly(job));
      isRefused(ErrorCode.WRONG_STATE, () -> sessions.delete(job, "somebody"));
      isRefused(ErrorCode.NOT_FOUND, () -> sessions.delete("job_none", "somebody"));

      sessions.request(job, new UserRequest.Kill(), "somebody");
      await(() -> assertThat(logs.state(job)).isEqualTo(JobState.CANCELED));
      jobs.change(job, JobState.CANCELED);
      await(
          () -> assertThatCode(() -> sessions.delete(job, "somebody")).doesNotThrowAnyException());

      assertThat(launcher.discarded).containsExactly(job);
      assertThat(jobs.find(job)).isEmpty();
    }
  }

  @Test
  void aRemovalThatWasCutOffIsFinished() {
    jobs.halfDeleted.add("job_1");
    try (SessionDirectory _ = sessions(1)) {
      await(() -> assertThat(launcher.discarded).containsExactly("job_1"));
      assertThat(jobs.halfDeleted()).isEmpty();
    }
  }

  /// Whatever happens between its files and its rows, the rows are there to find it by.
  @Test
  void aRemovalThatFailsAtItsFilesIsFinishedLater() {
    jobs.create(new StoredJob("job_1", spec()), "somebody", Optional.empty());
    jobs.change("job_1", JobState.CANCELED);
    try (SessionDirectory sessions = sessions(1)) {
      launcher.undiscardable.add("job_1");
      isRefused(ErrorCode.INTERNAL, () -> sessions.delete("job_1", "somebody"));
      assertThat(jobs.find("job_1")).isPresent();
      assertThat(jobs.halfDeleted()).containsExactly("job_1");

      launcher.undiscardable.clear();
      sessions.retry();

      assertThat(launcher.discarded).containsExactly("job_1");
      assertThat(jobs.find("job_1")).isEmpty();
      assertThat(jobs.halfDeleted()).isEmpty();
    }
  }

  private static void isRefused(ErrorCode code, ThrowingCallable request) {
    assertThatThrownBy(request)
        .isInstanceOfSatisfying(
            EspalierException.class, refusal -> assertThat(refusal.code()).isEqualTo(code));
  }

  private static void await(ThrowingRunnable condition) {
    Awaitility.await().atMost(Duration.ofSeconds(20)).untilAsserted(condition);
  }

  private SessionDirectory sessions(int maxRunning) {
    SessionDirectory sessions = closed(maxRunning);
    sessions.resumeAll();
    return sessions;
  }

  /// One that has not yet looked for the jobs that there are.
  private SessionDirectory closed(int maxRunning) {
    var ports =
        new RunnerPorts(
            jobs,
            logs,
            told::addAll,
            listening,
            launcher,
            meters,
            stalls,
            new WorkerLeases.Times(start, Duration.ofSeconds(10), Duration.ofMinutes(1)),
            job -> job);
    return new SessionDirectory(ports, programs, _ -> "", maxRunning);
  }

  private JobSpec spec() {
    return JobSpecReader.read(Map.of("program", "mlp"), programs::find).spec().orElseThrow();
  }

  private String submit(SessionDirectory sessions) {
    return sessions.submit(spec(), "somebody", Optional.empty());
  }

  private static final class Programs implements ProgramRegistry {
    private final ProgramDescriptor mlp = new MultilayerPerceptron().describe();
    private volatile boolean areGone;
    private volatile String why = "";
    private volatile int leftToFind = Integer.MAX_VALUE;

    @Override
    public List<ProgramDescriptor> programs() {
      return areGone ? List.of() : List.of(mlp);
    }

    @Override
    public Optional<ProgramDescriptor> find(String name) {
      if (!why.isEmpty()) {
        throw new EspalierException(ErrorCode.INTERNAL, why);
      }
      return programs().stream()
          .filter(program -> program.name().equals(name) && leftToFind-- > 0)
          .findFirst();
    }
  }

  /// Keeps what it is told.
  private static final class Meters implements TunerMeters {
    private final AtomicLong clocks = new AtomicLong();
    private final Map<String, Integer> branches = new ConcurrentHashMap<>();
    private final Map<String, Double> shares = new ConcurrentHashMap<>();

    @Override
    public void roundStarted(String job) {}

    @Override
    public void clocks(String job, long count) {
      clocks.addAndGet(count);
    }

    @Override
    public void forked(double seconds) {}

    @Override
    public void reportLatency(double seconds) {}

    @Override
    public void branches(String job, int live) {
      branches.put(job, live);
    }

    @Override
    public void tuningShare(String job, double share) {
      shares.put(job, share);
    }

    @Override
    public void ended(String job) {}
  }

  /// A log for each job, which can break.
  private final class Logs implements EventLog {
    private final Map<String, MemoryEventLog> logs = new ConcurrentHashMap<>();
    private final Set<String> broken = ConcurrentHashMap.newKeySet();
    private final Set<String> taken = ConcurrentHashMap.newKeySet();
    private final Set<String> refused = ConcurrentHashMap.newKeySet();
    private final Set<String> read = ConcurrentHashMap.newKeySet();
    private final AtomicInteger tries = new AtomicInteger();
    private volatile boolean isAway;

    private MemoryEventLog of(String job) {
      return logs.computeIfAbsent(job, _ -> new MemoryEventLog());
    }

    @Override
    public List<StreamEvent> append(Commit commit) {
      if (broken.contains(commit.job())) {
        throw new IllegalStateException("a zero \0");
      }
      if (taken.contains(commit.job())) {
        throw new OtherWriterException("another runner wrote");
      }
      if (isAway) {
        refused.add(commit.job());
        tries.incrementAndGet();
        throw new EspalierException(ErrorCode.DATABASE_AWAY, "away");
      }
      commit.effects().stream()
          .filter(SessionEffect.JobChanged.class::isInstance)
          .map(SessionEffect.JobChanged.class::cast)
          .forEach(change -> jobs.change(commit.job(), change.state()));
      return of(commit.job()).append(commit);
    }

    @Override
    public List<SessionEvent> read(String job, long after) {
      read.add(job);
      return of(job).read(job, after);
    }

    private List<Decision> decisions(String job) {
      return of(job).decisions();
    }

    private JobState state(String job) {
      return shown(job).state();
    }

    private SessionEffect.JobChanged shown(String job) {
      return of(job).effects().stream()
          .filter(SessionEffect.JobChanged.class::isInstance)
          .map(SessionEffect.JobChanged.class::cast)
          .reduce((_, last) -> last)
          .orElse(new SessionEffect.JobChanged(JobState.QUEUED, "", "", ""));
    }
  }

  /// The real one; writes down who listens, and whose workers were asked for more.
  private static final class ListeningGateway implements WorkerGateway {
    private final GrpcWorkerGateway real;
    private final Map<String, Listener> listeners = new ConcurrentHashMap<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();

    private ListeningGateway(GrpcWorkerGateway real) {
      this.real = real;
    }

    @Override
    public void expect(String job) {
      real.expect(job);
    }

    @Override
    public void forget(String job) {
      real.forget(job);
    }

    @Override
    public void expectNoMore() {
      real.expectNoMore();
    }

    @Override
    public void open(WorkerGroup group, Listener listener) {
      listeners.put(group.job(), listener);
      real.open(group, listener);
    }

    @Override
    public void send(String job, SequencedCommand command) {
      real.send(job, command);
    }

    @Override
    public void control(String job, boolean held, boolean alone) {
      real.control(job, held, alone);
    }

    @Override
    public void acknowledge(String job, int worker, long reportSequence) {
      real.acknowledge(job, worker, reportSequence);
    }

    @Override
    public void listen(String job) {
      asked.add(job);
      real.listen(job);
    }

    @Override
    public void abandon(String job) {
      real.abandon(job);
    }

    @Override
    public void close(String job, String reason) {
      real.close(job, reason);
    }

    @Override
    public void tokenRevoked() {
      real.tokenRevoked();
    }

    @Override
    public List<WorkerView> workers(String job) {
      return real.workers(job);
    }
  }

  /// Writes down what it is asked.
  private static final class Launcher implements WorkerLauncher {
    private final AtomicInteger failures = new AtomicInteger();
    private final AtomicInteger exits = new AtomicInteger();
    private final List<String> launched = new CopyOnWriteArrayList<>();
    private final List<Integer> generations = new CopyOnWriteArrayList<>();
    private final List<String> watched = new CopyOnWriteArrayList<>();
    private final Set<String> gone = ConcurrentHashMap.newKeySet();
    private final Set<String> started = ConcurrentHashMap.newKeySet();
    private final List<Long> launchNanos = new CopyOnWriteArrayList<>();
    private final List<String> killed = new CopyOnWriteArrayList<>();
    private final List<String> discarded = new CopyOnWriteArrayList<>();
    private final List<String> undiscardable = new CopyOnWriteArrayList<>();

    @Override
    public void launch(
        String job, JobSpec spec, int generation, String secret, ExitListener onExit) {
      if (failures.getAndUpdate(Launcher::less) > 0) {
        throw new EspalierException(ErrorCode.INTERNAL, "no space left on device");
      }
      launchNanos.add(System.nanoTime());
      launched.add(job);
      generations.add(generation);
      if (exits.getAndUpdate(Launcher::less) > 0) {
        onExit.exited(0, OptionalInt.of(1));
      }
      started.add(job);
    }

    @Override
    public boolean hasStarted(String job) {
      return started.contains(job);
    }

    @Override
    public void watch(String job, int workers, ExitListener onExit) {
      watched.add(job);
      if (gone.contains(job)) {
        onExit.exited(0, OptionalInt.empty());
      }
    }

    private static int less(int left) {
      return Math.max(0, left - 1);
    }

    /// Between one launch and the next.
    private List<Duration> pauses() {
      return IntStream.range(1, launchNanos.size())
          .mapToObj(i -> Duration.ofNanos(launchNanos.get(i) - launchNanos.get(i - 1)))
          .toList();
    }

    @Override
    public void kill(String job) {
      started.remove(job);
      killed.add(job);
    }

    @Override
    public void discard(String job) {
      if (undiscardable.contains(job)) {
        throw new EspalierException(ErrorCode.INTERNAL, "its folder cannot be removed");
      }
      discarded.add(job);
    }

    @Override
    public List<Path> logs(String job) {
      return List.of();
    }
  }
}
