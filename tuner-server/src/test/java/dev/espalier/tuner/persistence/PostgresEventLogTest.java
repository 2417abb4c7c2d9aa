package dev.espalier.tuner.persistence;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.SnapshotState;
import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.MainlineView;
import dev.espalier.api.rest.PageView;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.api.rest.SeriesView;
import dev.espalier.api.rest.SnapshotView;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.app.port.EventLog.Commit;
import dev.espalier.tuner.app.port.EventLog.MetricPoint;
import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.app.port.JobQueries.DecisionFilter;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.boot.TestServer;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.TrainingStart;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;

class PostgresEventLogTest {
  private final EventLog log = TestServer.get().bean(EventLog.class);
  private final JobStore store = TestServer.get().bean(JobStore.class);
  private final JobQueries queries = TestServer.get().bean(JobQueries.class);
  private final JdbcTemplate sql = TestServer.get().bean(JdbcTemplate.class);

  @Test
  void readsBackExactlyWhatWasAppended() {
    String job = newJob();

    append(job, 1, EventSamples.EVENTS.subList(0, 5), List.of());
    append(job, 6, EventSamples.EVENTS.subList(5, EventSamples.EVENTS.size()), List.of());

    assertThat(events(job)).isEqualTo(EventSamples.EVENTS);
  }

  @Test
  void readsALongLogInParts() {
    String job = newJob();
    append(job, 1, falling(0, 1200), List.of());

    assertThat(log.read(job, 0)).hasSizeBetween(1, 600);
    assertThat(events(job)).isEqualTo(falling(0, 1200));
    assertThat(log.read(job, 1200)).isEmpty();
  }

  @Test
  void refusesAnotherRunner() {
    String job = newJob();
    append(job, 1, EventSamples.EVENTS.subList(0, 2), List.of());

    assertThatIllegalStateException()
        .isThrownBy(() -> append(job, 2, EventSamples.EVENTS.subList(5, 6), List.of()))
        .withMessageContaining("sequence 3 but is given 2");
    assertThatIllegalStateException()
        .isThrownBy(() -> append(job, 4, EventSamples.EVENTS.subList(5, 6), List.of()));
    assertThat(events(job)).hasSize(2);
  }

  @Test
  void takesACommitOnceThatIsSentAgain() {
    String job = newJob();
    List<SessionEffect> effects =
        List.of(EventSamples.job(JobState.TUNING), EventSamples.decide("round-1/adopt"));

    List<StreamEvent> first = append(job, 1, EventSamples.EVENTS.subList(0, 3), effects);
    List<StreamEvent> again = append(job, 1, EventSamples.EVENTS.subList(0, 3), effects);

    assertThat(again)
        .isEqualTo(first.stream().filter(event -> event.sequence() > 0).toList())
        .hasSize(2);
    assertThat(events(job)).hasSize(3);
    assertThat(queries.decisions(job, DecisionFilter.ALL, 10, null).items()).hasSize(1);
  }

  @Test
  void oneOfManyConcurrentRunnersWins() throws Exception {
    String job = newJob();
    List<Callable<Boolean>> runners = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      var event = new SessionEvent.WorkersLost(i, 1, "runner " + i);
      runners.add(() -> {
        try {
          append(job, 1, List.of(event), List.of());
          return true;
        } catch (IllegalStateException e) {
          return false;
        }
      });
    }
    long winners = 0;
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var result : threads.invokeAll(runners)) {
        winners += result.get() ? 1 : 0;
      }
    }

    assertThat(winners).isEqualTo(1);
    assertThat(events(job)).hasSize(1);
  }

  @Test
  void takesEachDecisionOnce() {
    String job = newJob();

    append(job, 1, List.of(), List.of(EventSamples.decide("a"), EventSamples.decide("b")));
    List<StreamEvent> again =
        append(job, 1, List.of(), List.of(EventSamples.decide("a"), EventSamples.decide("c")));

    assertThat(queries.decisions(job, DecisionFilter.ALL, 10, null).items())
        .extracting(decision -> decision.sequence() + decision.key())
        .containsExactly("1a", "2b", "3c");
    assertThat(again).extracting(StreamEvent::type).containsExactly("decision.made");
    assertThat(queries.decisions(job, DecisionFilter.ALL, 10, null).items().getFirst().evidence())
        .containsExactly(
            Map.entry("speeds", List.of(0.1, 0.2, "NaN")),
            Map.entry("best", 0.2),
            Map.entry("count", 3),
            Map.entry("late", true));
  }

  @Test
  void followsAJobThroughItsLife() {
    String job = newJob();
    append(
        job,
        1,
        List.of(new SessionEvent.WorkersReady(1, 1, 2, 6400, 32)),
        List.of(
            new SessionEffect.LaunchWorkers(1),
            EventSamples.job(JobState.TUNING),
            EventSamples.branch(0, BranchKind.MAINLINE, BranchState.RUNNING, 0, 0),
            EventSamples.branch(1, BranchKind.TRIAL, BranchState.RUNNING, 0, 0),
            EventSamples.round(1, "searching", "")));
    append(
        job,
        2,
        List.of(
            new SessionEvent.Progressed(
                2, new BranchId(1), 1, List.of(2.0, 1.0), List.of(0.5, 0.5)),
            new SessionEvent.Progressed(3, new BranchId(0), 1, List.of(5.0), List.of(0.5))),
        List.of(EventSamples.branch(1, BranchKind.TRIAL, BranchState.MEASURED, 0, 2)));

    JobView tuning = job(job);
    assertThat(tuning.mainlineBranch()).isZero();
    assertThat(tuning.mainlineClock()).isEqualTo(1);
    assertThat(tuning.loss()).isEqualTo(5.0);
    assertThat(tuning.branches()).isEqualTo(2);
    assertThat(tuning.round()).isEqualTo(1);
    assertThat(tuning.generation()).isEqualTo(1);
    assertThat(tuning.endTime()).isNull();

    append(
        job,
        4,
        List.of(),
        List.of(
            EventSamples.branch(1, BranchKind.MAINLINE, BranchState.KEPT, 0, 2),
            EventSamples.branch(0, BranchKind.MAINLINE, BranchState.DISCARDED, 0, 1),
            EventSamples.round(1, "ended", "took #1"),
            new SessionEffect.ScheduleChanged(
                2, 0.02, Setting.of(Map.of("learningRate", 0.2)), new BranchId(1)),
            new SessionEffect.TimeSpent(3, 6, 1)));
    append(
        job,
        4,
        List.of(
            new SessionEvent.Progressed(
                4, new BranchId(1), 3, List.of(0.5, 0.25), List.of(0.5, 0.5))),
        List.of(
            new SessionEffect.MainlineEvaluated(
                new BranchId(1), 4, 0.04, 4, Map.of("accuracy", 0.9, "odd", Double.NaN)),
            EventSamples.job(JobState.COMPLETED)));

    JobView ended = job(job);
    assertThat(ended.mainlineBranch()).isEqualTo(1);
    assertThat(ended.mainlineClock()).isEqualTo(4);
    assertThat(ended.loss()).isEqualTo((2.0 + 1.0 + 0.5 + 0.25) / 4);
    assertThat(ended.epoch()).isEqualTo(0.04);
    assertThat(ended.setting()).containsEntry("learningRate", 0.2);
    assertThat(ended.tuningShare()).isEqualTo(0.3);
    assertThat(ended.state()).isEqualTo(JobState.COMPLETED);
    assertThat(ended.endTime()).isNotNull();
    assertThat(ended.version()).isEqualTo(5);
    assertThat(ended.events()).isEqualTo(4);
    assertThat(ended.metrics()).containsEntry("accuracy", 0.9);
    assertThat(queries.rounds(job, 50, null).items())
        .singleElement()
        .satisfies(round -> {
          assertThat(round.winner()).isEqualTo(1);
          assertThat(round.outcome()).isEqualTo("took #1");
        });
    assertThat(queries.branch(job, 1).orElseThrow().windowMeans()).containsExactly(2.0, null);
    assertThat(queries.branch(job, 1).orElseThrow().heldOutLoss()).isEqualTo(-0.75);
    assertThat(queries.branch(job, 1).orElseThrow().heldOutMetric()).isEqualTo("accuracy");
    assertThat(queries.branch(job, 0).orElseThrow().heldOutLoss()).isNull();
    assertThat(queries.branch(job, 1).orElseThrow().validation())
        .isEqualTo(new BranchView.Validation("accuracy", Goal.MAXIMIZE, 0.75, 2.5));
    assertThat(queries.branch(job, 0).orElseThrow().validation()).isNull();
    assertThat(queries.schedule(job).steps())
        .extracting(ScheduleView.Step::fromClock, ScheduleView.Step::branch)
        .containsExactly(tuple(0L, 0), tuple(2L, 1));
    assertThat(queries.evaluations(job, 50, null).items().getFirst().metrics())
        .containsEntry("accuracy", 0.9)
        .containsEntry("odd", null);
    assertThat(store.unfinished()).extracting(JobStore.StoredJob::id).doesNotContain(job);
    assertThat(store.standing(job).orElseThrow().state()).isEqualTo(JobState.COMPLETED);
    assertThat(store.standing(job).orElseThrow().version()).isEqualTo(5);
  }

  @Test
  void whatARunBesideTheBestCameToChangesNothingOfTheJob() {
    String job = newJob();
    append(
        job,
        1,
        List.of(),
        List.of(
            EventSamples.branch(1, BranchKind.MAINLINE, BranchState.RUNNING, 0, 200),
            new SessionEffect.MainlineEvaluated(
                new BranchId(1), 200, 2, 20, Map.of("accuracy", 0.9))));
    JobView before = job(job);

    List<StreamEvent> told =
        append(
            job,
            1,
            List.of(),
            List.of(
                new SessionEffect.RunEvaluated(
                    new BranchId(2), 100, 1, 30, Map.of("accuracy", Double.NaN))));

    assertThat(job(job).metrics()).isEqualTo(before.metrics());
    assertThat(job(job).epoch()).isEqualTo(before.epoch());
    assertThat(queries.evaluations(job, 50, null).items())
        .extracting(EvaluationView::branch, EvaluationView::leads, EvaluationView::epoch)
        .containsExactly(tuple(1, true, 2.0), tuple(2, false, 1.0));
    assertThat(told)
        .singleElement()
        .satisfies(event -> {
          assertThat(event.type()).isEqualTo("evaluation.made");
          assertThat(event.data()).extracting("branch").isEqualTo(2);
          assertThat(event.data()).extracting("leads").isEqualTo(false);
        });
  }

  /// The job's bound is 5 epochs; an epoch has 100 clocks.
  @Test
  void whatIsLeftCountsTheStartsThatWereGivenUp() {
    String job = newJob();
    var second = new TrainingStart(2, 3);
    append(
        job,
        1,
        List.of(new SessionEvent.WorkersReady(1, 1, 2, 6400, 32), evaluatedAt(30)),
        List.of(
            EventSamples.branch(0, BranchKind.MAINLINE, BranchState.RUNNING, 0, 300),
            new SessionEffect.SnapshotChanged(
                1, BranchId.ROOT, 300, 3, Setting.EMPTY, SnapshotState.READY, 9, false),
            new SessionEffect.MainlineEvaluated(BranchId.ROOT, 300, 3, 30, Map.of("accuracy", 0.9)),
            new SessionEffect.ResultChanged(1, 300, 3, new BranchId(0), 0.9, List.of()),
            new SessionEffect.TimeSpent(0, 30, 0)));
    append(
        job,
        3,
        List.of(),
        List.of(
            EventSamples.branch(1, BranchKind.MAINLINE, BranchState.WAITING, second, 0, 0),
            EventSamples.branch(0, BranchKind.MAINLINE, BranchState.DISCARDED, 0, 300),
            new SessionEffect.ScheduleChanged(
                0, 0, Setting.of(Map.of("learningRate", 0.2)), new BranchId(1))));

    JobView begun = job(job);
    assertThat(begun.start()).isEqualTo(2);
    assertThat(begun.epoch()).isZero();
    assertThat(begun.earlierEpochs()).isEqualTo(3);
    assertThat(begun.secondsLeft()).isEqualTo(20);

    List<StreamEvent> told =
        append(
            job,
            3,
            List.of(evaluatedAt(40)),
            List.of(
                EventSamples.branch(1, BranchKind.MAINLINE, BranchState.RUNNING, second, 0, 100),
                new SessionEffect.MainlineEvaluated(
                    new BranchId(1), 100, 1, 40, Map.of("accuracy", 0.8)),
                new SessionEffect.TimeSpent(0, 25, 0)));

    assertThat(job(job).epoch()).isEqualTo(1);
    assertThat(job(job).secondsLeft()).isEqualTo(10);
    assertThat(told.getLast().data()).extracting("start").isEqualTo(2);
    assertThat(told.getLast().data()).extracting("earlierEpochs").isEqualTo(3.0);
    assertThat(queries.evaluations(job, 50, null).items())
        .extracting(EvaluationView::start)
        .containsExactly(1, 2);
    assertThat(queries.snapshots(job, 50, null).items())
        .extracting(SnapshotView::start)
        .containsExactly(1);
    assertThat(requireNonNull(queries.schedule(job).result()).start()).isEqualTo(1);
    assertThat(job(job).result()).isEqualTo(new JobView.Result(1, 0, 300, 3, 0.9));
    assertThat(told.getLast().data().get("result")).asString().contains("clock=300");
    assertThat(queries.branch(job, 0).orElseThrow().start()).isEqualTo(1);
    assertThat(queries.branch(job, 1).orElseThrow().start()).isEqualTo(2);
  }

  /// 0.1 s a clock: each start falls by as much in its own clocks. {@return an event of the job's
  /// life at that time}
  private static SessionEvent evaluatedAt(double seconds) {
    return new SessionEvent.Evaluated(seconds, 1, BranchId.ROOT, Map.of(), 0);
  }

  @Test
  void howFastANewStartFallsIsMeasuredByItsOwnSeconds() {
    String job = newJob();
    append(
        job,
        1,
        List.of(new SessionEvent.WorkersReady(1, 1, 2, 6400, 32)),
        List.of(EventSamples.branch(0, BranchKind.MAINLINE, BranchState.RUNNING, 0, 0)));
    append(
        job,
        2,
        falling(0, 60),
        List.of(
            EventSamples.branch(0, BranchKind.MAINLINE, BranchState.RUNNING, 0, 60),
            new SessionEffect.TimeSpent(0, 6, 0)));
    double before = requireNonNull(job(job).trail().speed());

    append(
        job,
        62,
        List.of(),
        List.of(
            EventSamples.branch(
                1, BranchKind.MAINLINE, BranchState.WAITING, new TrainingStart(2, 0.6), 0, 0)));
    append(job, 62, falling(1, 60), List.of(new SessionEffect.TimeSpent(0, 12, 0)));

    assertThat(requireNonNull(job(job).trail().speed())).isCloseTo(before, within(1e-9));
  }

  private static List<SessionEvent> falling(int branch, int clocks) {
    return IntStream.rangeClosed(1, clocks)
        .mapToObj(clock ->
            (SessionEvent)
                new SessionEvent.Progressed(
                    clock, new BranchId(branch), clock, List.of(100.0 - clock), List.of(0.1)))
        .toList();
  }

  /// What stands on the page must not depend on how workers' reports were parcelled, nor on where
  /// the mainline changed its branch.
  @Test
  void theLossIsTheMeanOfTheLastClocks() {
    String parcelled = newJob();
    append(parcelled, 1, List.of(), List.of(mainline(0, 0, 0)));
    append(parcelled, 1, falling(0, 40), List.of());
    append(parcelled, 41, List.of(), List.of(mainline(1, 30, 0)));
    append(
        parcelled,
        41,
        List.of(
            new SessionEvent.Progressed(
                41, new BranchId(1), 1, List.of(9.0, 7.0), List.of(0.1, 0.1))),
        List.of());

    double before = IntStream.rangeClosed(1, 30).mapToDouble(clock -> 100 - clock).sum();
    assertThat(requireNonNull(job(parcelled).loss()))
        .isCloseTo((before + 9 + 7) / JobView.LOSS_CLOCKS, within(1e-9));

    append(parcelled, 42, falling(1, 50).subList(2, 50), List.of());

    double last = IntStream.rangeClosed(19, 50).mapToDouble(clock -> 100 - clock).sum();
    assertThat(requireNonNull(job(parcelled).loss()))
        .isCloseTo(last / JobView.LOSS_CLOCKS, within(1e-9));
  }

  /// What stands beside the mainline's clock must not be of a stretch that it left.
  @Test
  void theMetricsAreThoseOfWhereTheMainlineWentBackTo() {
    String job = newJob();
    append(
        job,
        1,
        List.of(),
        List.of(
            mainline(0, 0, 100),
            new SessionEffect.MainlineEvaluated(BranchId.ROOT, 100, 1, 10, Map.of("accuracy", 0.9)),
            mainline(0, 0, 200),
            new SessionEffect.MainlineEvaluated(
                BranchId.ROOT, 200, 2, 20, Map.of("accuracy", 0.7))));
    assertThat(job(job).metrics()).containsExactly(Map.entry("accuracy", 0.7));

    append(job, 1, List.of(), List.of(mainline(1, 120, 0)));
    assertThat(job(job).metrics()).containsExactly(Map.entry("accuracy", 0.9));
    append(job, 1, List.of(), List.of(mainline(1, 120, 30)));
    assertThat(job(job).metrics()).containsExactly(Map.entry("accuracy", 0.9));

    append(job, 1, List.of(), List.of(mainline(2, 50, 0)));
    assertThat(job(job).metrics()).isEmpty();
  }

  private static SessionEffect mainline(int branch, long fork, long clocks) {
    return EventSamples.branch(branch, BranchKind.MAINLINE, BranchState.RUNNING, fork, clocks);
  }

  @Test
  void theVersionGrowsWithStatesAndNotWithProgress() {
    String job = newJob();
    var progress = new SessionEvent.Progressed(1, BranchId.ROOT, 1, List.of(1.0), List.of(0.5));
    var snapshot =
        new SessionEffect.SnapshotChanged(
            1, BranchId.ROOT, 1, 0.1, Setting.EMPTY, SnapshotState.WRITING, 0, false);
    List<SessionEffect> steps =
        List.of(
            EventSamples.branch(0, BranchKind.MAINLINE, BranchState.RUNNING, 0, 0),
            EventSamples.branch(0, BranchKind.MAINLINE, BranchState.RUNNING, 0, 1),
            EventSamples.round(1, "probing", ""),
            EventSamples.round(1, "probing", ""),
            EventSamples.round(1, "racing", ""),
            EventSamples.branch(1, BranchKind.TRIAL, BranchState.RUNNING, 0, 0),
            EventSamples.branch(1, BranchKind.TRIAL, BranchState.KEPT, 0, 0),
            snapshot,
            new SessionEffect.TimeSpent(1, 2, 3));
    List<Long> versions = new ArrayList<>();
    List<Long> events = new ArrayList<>();
    for (int i = 0; i < steps.size(); i++) {
      append(job, i + 1, List.of(progress), List.of(steps.get(i)));
      versions.add(job(job).version());
      events.add(job(job).events());
    }

    assertThat(versions).containsExactly(2L, 2L, 3L, 3L, 4L, 5L, 6L, 7L, 7L);
    assertThat(events).containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
  }

  /// Nothing follows from it before its turn: a second request for the version before must fail.
  @Test
  void theVersionGrowsWithWhatIsAskedOfAJobThatWaits() {
    String job = newJob();
    long before = job(job).version();

    List<StreamEvent> told =
        append(
            job,
            1,
            List.of(
                new SessionEvent.Requested(0, new SessionEvent.UserRequest.Pause(), "somebody")),
            List.of(EventSamples.decide("request-1")));

    assertThat(job(job).version()).isEqualTo(before + 1);
    assertThat(store.standing(job).orElseThrow().state()).isEqualTo(JobState.QUEUED);
    assertThat(store.standing(job).orElseThrow().version()).isEqualTo(before + 1);
    assertThat(told.getLast().type()).isEqualTo("job.changed");
  }

  /// Of workers that were lost, after a step that is then given up.
  @Test
  void settingThatComesAgainIsNoStepOfTheSchedule() {
    String job = newJob();
    append(job, 1, List.of(), List.of(steps(0, 0.1, 0), steps(50, 0.2, 1), steps(90, 0.4, 2)));

    StreamEvent told = append(job, 1, List.of(), List.of(steps(70, 0.2, 3))).getFirst();

    assertThat(queries.schedule(job).steps())
        .extracting(ScheduleView.Step::fromClock, ScheduleView.Step::branch)
        .containsExactly(tuple(0L, 0), tuple(50L, 1));
    assertThat(told.type()).isEqualTo("schedule.changed");
    assertThat(told.data()).containsEntry("fromClock", 50).containsEntry("branch", 1);
    assertThat(job(job).setting()).containsEntry("learningRate", 0.2);
  }

  /// A mainline that goes back to a snapshot of an earlier start leaves what the later one did.
  @Test
  void scheduleIsThatOfTheBranchesThatLeadToTheMainline() {
    String job = newJob();
    append(
        job,
        1,
        List.of(new SessionEvent.WorkersReady(1, 1, 1, 100, 10, 0)),
        List.of(
            branch(1, 0, 1, 0, 0.1),
            steps(0, 0.1, 1),
            branch(2, 1, 1, 20, 0.1),
            branch(3, 2, 1, 30, 0.2),
            steps(30, 0.2, 3),
            branch(4, 0, 2, 0, 0.6),
            steps(0, 0.6, 4),
            branch(5, 4, 2, 40, 0.05),
            steps(40, 0.05, 5)));
    assertThat(queries.schedule(job).steps())
        .extracting(ScheduleView.Step::fromClock, ScheduleView.Step::branch)
        .containsExactly(tuple(0L, 4), tuple(40L, 5));

    List<StreamEvent> told =
        append(job, 2, List.of(), List.of(branch(6, 3, 1, 50, 0.05), steps(50, 0.05, 6)));

    List<ScheduleView.Step> steps = queries.schedule(job).steps();
    assertThat(steps)
        .extracting(
            ScheduleView.Step::fromClock,
            ScheduleView.Step::branch,
            step -> step.setting().get("learningRate"),
            ScheduleView.Step::fromEpoch)
        .containsExactly(tuple(0L, 1, 0.1, 0.0), tuple(30L, 3, 0.2, 6.0), tuple(50L, 6, 0.05, 0.5));
    // Who follows the stream comes to the same.
    assertThat(told.stream().filter(event -> event.type().equals("schedule.changed")))
        .extracting(event -> event.data().get("fromClock"))
        .containsExactly(0, 30, 50);
    assertThat(requireNonNull(job(job).trail()).turns()).containsExactly(0L, 30L, 50L);
  }

  /// What is taken from one and counted as the other leaves a rest by rounding.
  @Test
  void secondsAreNeverLessThanNothing() {
    String job = newJob();

    append(job, 1, List.of(), List.of(new SessionEffect.TimeSpent(-3.5e-15, 2, 1)));

    assertThat(job(job).tuningSeconds()).isZero();
    assertThat(job(job).tuningShare()).isZero();
  }

  private static SessionEffect branch(int number, int parent, int start, long fork, double rate) {
    return new SessionEffect.BranchChanged(
        new BranchId(number),
        parent == 0 ? Optional.empty() : Optional.of(new BranchId(parent)),
        BranchKind.MAINLINE,
        0,
        Setting.of(Map.of("learningRate", rate)),
        BranchState.RUNNING,
        new TrainingStart(start, 0),
        fork,
        10,
        1,
        Optional.empty(),
        Double.NaN,
        Optional.empty(),
        Optional.empty());
  }

  private static SessionEffect steps(long clock, double rate, int branch) {
    return new SessionEffect.ScheduleChanged(
        clock, clock / 100.0, Setting.of(Map.of("learningRate", rate)), new BranchId(branch));
  }

  @Test
  void tellsTheStreamInOrderAndKeepsIt() {
    String job = newJob();

    List<StreamEvent> told =
        append(
            job,
            1,
            List.of(
                new SessionEvent.Progressed(
                    1, BranchId.ROOT, 1, List.of(1.0, Double.NaN), List.of(0.5, 0.25))),
            List.of(
                EventSamples.branch(0, BranchKind.MAINLINE, BranchState.RUNNING, 0, 2),
                EventSamples.round(1, "probing", ""),
                EventSamples.decide("a"),
                new SessionEffect.ScheduleChanged(
                    5, 0.5, Setting.of(Map.of("learningRate", 0.2)), BranchId.ROOT),
                new SessionEffect.Command(new dev.espalier.api.model.BranchCommand.Stop()),
                EventSamples.job(JobState.TUNING)));

    assertThat(told)
        .extracting(event -> event.sequence() + " " + event.type())
        .containsExactly(
            "0 metric.window",
            "1 branch.changed",
            "2 round.changed",
            "3 decision.made",
            "4 schedule.changed",
            "5 job.changed");
    assertThat(told.get(4).data())
        .containsEntry("fromClock", 5)
        .containsEntry("setting", Map.of("learningRate", 0.2));
    assertThat(told.getFirst().data())
        .containsEntry("branch", 0)
        .containsEntry("fromClock", 1)
        .containsEntry("toClock", 3)
        .containsEntry("seconds", 0.75)
        .containsEntry("mean", null);
    assertThat(queries.stream(job, 0, 10)).isEqualTo(told.subList(1, 6));
    assertThat(queries.stream(job, 2, 1)).isEqualTo(told.subList(3, 4));
    assertThat(queries.streamSequence(job)).isEqualTo(5);
  }

  /// Jobs run for weeks, and nobody is sent more than a part of it.
  @Test
  void forgetsWhatNobodyIsSentAnyMore() {
    String job = newJob();
    sql.update(
        "insert into stream_event (job_id, sequence, type, event_time, data, log_sequence)"
            + " select ?, n, 'decision.made', now(), '{}', 0 from generate_series(1, ?) as n",
        job,
        PostgresEventLog.STREAM_KEPT + 700);
    sql.update(
        "update job set stream_count = ? where job_id = ?",
        PostgresEventLog.STREAM_KEPT + 999,
        job);

    append(job, 1, List.of(), List.of(EventSamples.decide("a")));

    assertThat(queries.stream(job, 0, 1))
        .singleElement()
        .extracting(StreamEvent::sequence)
        .isEqualTo(701L + 300);
    assertThat(queries.streamSequence(job)).isEqualTo(PostgresEventLog.STREAM_KEPT + 1000);
  }

  @Test
  void aResultIsToldByWhatIsNewOfItsPath() {
    String job = newJob();
    var first = new JobPlan.ScheduleStep(0, Setting.of(Map.of("learningRate", 0.1)));
    var second = new JobPlan.ScheduleStep(10, Setting.of(Map.of("learningRate", 0.2)));
    var third = new JobPlan.ScheduleStep(20, Setting.of(Map.of("learningRate", 0.3)));
    result(job, List.of(first, second));

    List<StreamEvent> told = result(job, List.of(first, third));

    assertThat(told.getFirst().type()).isEqualTo("result.changed");
    assertThat(told.getFirst().data()).containsEntry("kept", 1);
    assertThat(told.getFirst().data().get("steps")).asString().contains("fromClock=20");
    assertThat(told.getFirst().data().get("steps")).asString().doesNotContain("fromClock=10");
  }

  private List<StreamEvent> result(String job, List<JobPlan.ScheduleStep> path) {
    return append(
        job,
        1,
        List.of(),
        List.of(new SessionEffect.ResultChanged(1, 30, 3, new BranchId(0), 0.9, path)));
  }

  @Test
  void pagesWhatALongJobHasMany() {
    String job = newJob();
    sql.update(
        "insert into evaluation (job_id, sequence, mainline_clock, epoch, at_seconds, metrics)"
            + " select ?, n, n, n, n, '{}' from generate_series(1, 5) as n",
        job);
    sql.update(
        "insert into snapshot (job_id, number, branch, mainline_clock, epoch, setting, state,"
            + " size_bytes, pinned, create_time) select ?, n, 0, n, n, '{}',"
            + " case n when 2 then 'READY' else 'DROPPED' end, 0, false, now()"
            + " from generate_series(1, 5) as n",
        job);

    PageView<EvaluationView> first = queries.evaluations(job, 3, null);
    assertThat(first.items()).extracting(EvaluationView::mainlineClock).containsExactly(1L, 2L, 3L);
    assertThat(queries.evaluations(job, 3, first.nextPageToken()))
        .satisfies(second -> {
          assertThat(second.items())
              .extracting(EvaluationView::mainlineClock)
              .containsExactly(4L, 5L);
          assertThat(second.nextPageToken()).isNull();
        });
    assertThat(queries.latestEvaluations(job, 2).items())
        .extracting(EvaluationView::mainlineClock)
        .containsExactly(4L, 5L);
    assertThat(queries.latestEvaluations(job, 2).leftOut()).isEqualTo(3);
    assertThat(queries.snapshots(job, 4, null).items()).hasSize(4);
    assertThat(queries.latestSnapshots(job, 1).items())
        .extracting(SnapshotView::snapshot)
        .as("the last, and the one that is there")
        .containsExactly(2L, 5L);
    assertThat(queries.latestSnapshots(job, 1).leftOut()).isEqualTo(3);
    assertThat(queries.latestRounds(job, 2).leftOut()).isZero();
  }

  @Test
  void bucketsASeriesInTheDatabase() {
    String job = newJob();
    List<MetricPoint> points =
        IntStream.rangeClosed(1, 1000)
            .mapToObj(clock ->
                new MetricPoint(0, clock, clock * 0.5, clock == 500 ? Double.NaN : (double) clock))
            .toList();
    log.append(
        new Commit(
            job,
            1,
            List.of(),
            List.of(EventSamples.branch(0, BranchKind.MAINLINE, BranchState.RUNNING, 7, 0)),
            points));

    SeriesView series = queries.series(job, 0, 0, Long.MAX_VALUE, 20);
    SeriesView blocks = queries.series(job, 0, 0, Long.MAX_VALUE, 5);
    SeriesView part = queries.series(job, 0, 100, 900, 5);
    MainlineView mainline = queries.mainline(job, 0, Long.MAX_VALUE, 5);
    SeriesView all = queries.series(job, 0, 0, Long.MAX_VALUE, 5000);

    assertThat(series.forkClock()).isEqualTo(7);
    assertThat(series.buckets()).hasSize(20);
    assertThat(series.buckets().getFirst())
        .isEqualTo(new SeriesView.Bucket(1, 51, 25, 1.0, 50.0, 25.5, 0));
    assertThat(blocks.buckets()).hasSizeLessThanOrEqualTo(5);
    assertThat(blocks.buckets().getFirst())
        .isEqualTo(new SeriesView.Bucket(1, 384, 191.5, 1.0, 383.0, 192.0, 0));
    for (SeriesView one : List.of(blocks, part)) {
      assertThat(weighedMean(one)).isCloseTo(one == part ? 499.5 : 500.5, within(0.01));
      assertThat(one.buckets().stream().mapToLong(SeriesView.Bucket::nonFinite).sum()).isOne();
      for (int i = 1; i < one.buckets().size(); i++) {
        assertThat(one.buckets().get(i).fromClock()).isEqualTo(one.buckets().get(i - 1).toClock());
      }
    }
    assertThat(part.buckets().getFirst().fromClock()).isEqualTo(100);
    assertThat(part.buckets().getLast().toClock()).isEqualTo(900);
    assertThat(mainline.buckets().getFirst().fromClock()).isEqualTo(8);
    assertThat(mainline.buckets().getLast().toClock()).isEqualTo(1008);
    assertThat(mainline.buckets().getLast().seconds()).isEqualTo(500);
    assertThat(series.buckets().stream().mapToLong(SeriesView.Bucket::nonFinite).sum())
        .isEqualTo(1);
    assertThat(all.buckets()).hasSize(1000);
    assertThat(all.buckets().get(499).mean()).isNull();
  }

  @Test
  void readsLongBranchesAmongManyFromBlocks() {
    String job = newJob();
    List<MetricPoint> points = new ArrayList<>();
    for (long clock = 0; clock < 6400; clock++) {
      points.add(new MetricPoint(4, clock, clock, 1));
      if (clock < 100) {
        points.add(new MetricPoint(2, clock + 50, clock, clock));
      }
    }
    log.append(new Commit(job, 1, List.of(), List.of(), points));
    // What blocks tell of is not read again, clock by clock.
    TestServer.get()
        .bean(JdbcTemplate.class)
        .update("update loss_block set mean = 7 where job_id = ? and branch in (2, 4)", job);

    List<SeriesView> series = queries.series(job, List.of(4, 3, 2, 4), 10);

    assertThat(series).extracting(SeriesView::branch).containsExactly(2, 4);
    assertThat(series.getFirst().buckets())
        .hasSize(10)
        .contains(new SeriesView.Bucket(50, 60, 9, 0.0, 9.0, 4.5, 0));
    assertThat(series.getLast().buckets())
        .hasSizeBetween(8, 10)
        .allSatisfy(bucket -> assertThat(bucket.mean()).isEqualTo(7));
    assertThat(series.getLast().buckets().getLast().toClock()).isEqualTo(6400);
  }

  /// The mean of 1 to 1000 or of a part of it; clock 500 has no finite loss.
  private static double weighedMean(SeriesView series) {
    double sum = 0;
    double count = 0;
    for (SeriesView.Bucket one : series.buckets()) {
      double finite = one.toClock() - one.fromClock() - one.nonFinite();
      sum += finite * Objects.requireNonNull(one.mean());
      count += finite;
    }
    return sum / count;
  }

  @Test
  void thinsALongTrailOut() {
    var trail = new Trail(1, new double[0], new long[0]);
    for (long clock = 0; clock < 10_000; clock += 10) {
      trail = trail.at(clock, clock);
    }
    trail = trail.turningAt(LongStream.range(0, 100).toArray());
    assertThat(trail.losses()).hasSizeBetween(32, Trail.MAX_POINTS);
    assertThat(trail.clocks()).isEqualTo(256);
    assertThat(trail.losses()[20]).isEqualTo(5370);
    assertThat(trail.turns()).hasSize(24).startsWith(76).endsWith(99);
    assertThat(trail.at(1000, 1).losses()).hasSize(4);
  }

  @Test
  void aTrailTellsHowFastItFalls() {
    var trail = new Trail(1, new double[0], new long[0]);
    for (int clock = 0; clock < 60; clock++) {
      trail = trail.at(clock, clock < 30 ? 100 - 2 * clock : 42 - clock * 0.01);
    }

    assertThat(trail.view(0.5).firstSpeed()).isCloseTo(4, within(1e-9));
    assertThat(trail.view(0.5).speed()).isCloseTo(0.02, within(1e-9));
    assertThat(trail.at(2, 1).view(0.5).speed()).isCloseTo(194, within(1e-9));
    assertThat(trail.at(1, 1).view(0.5).speed()).isNull();
    assertThat(trail.view(0).speed()).isNull();
  }

  @Test
  void keepsSnapshotsAsTheyStand() {
    String job = newJob();
    var asked =
        new SessionEffect.SnapshotChanged(
            1, BranchId.ROOT, 200, 2, Setting.EMPTY, SnapshotState.WRITING, 0, false);
    var kept =
        new SessionEffect.SnapshotChanged(
            1, BranchId.ROOT, 200, 2, Setting.EMPTY, SnapshotState.READY, 4096, true);
    log.append(new Commit(job, 1, List.of(), List.of(asked), List.of()));
    List<StreamEvent> told = log.append(new Commit(job, 1, List.of(), List.of(kept), List.of()));

    assertThat(told).extracting(StreamEvent::type).containsExactly("snapshot.changed");
    assertThat(queries.snapshots(job, 50, null).items())
        .singleElement()
        .satisfies(view -> {
          assertThat(view.state()).isEqualTo(SnapshotState.READY);
          assertThat(view.sizeBytes()).isEqualTo(4096);
          assertThat(view.pinned()).isTrue();
        });
  }

  @Test
  void handsResultsOfFinishedJobsOn() {
    String program = "toy'; drop table job_result; --";
    List<JobPlan.ScheduleStep> path =
        List.of(
            new JobPlan.ScheduleStep(0, Setting.of(Map.of("learningRate", 0.1 + 0.2))),
            new JobPlan.ScheduleStep(4, Setting.EMPTY, Shape.linearToZero(6, 9)));
    String good = finished(program, "racing", JobState.COMPLETED, path);
    String newer = finished(program, "mltuner", JobState.COMPLETED, List.of());
    finished(program, "racing", JobState.FAILED, path);
    finished(program, "fixed", JobState.COMPLETED, path);
    finished("toy", "racing", JobState.COMPLETED, path);

    List<JobStore.FinishedJob> finished = store.finished(program, 9);

    assertThat(finished).extracting(each -> each.job().id()).containsExactly(newer, good);
    assertThat(finished.getLast().job().dataFingerprint()).isEqualTo("d1");
    assertThat(finished.getLast().evaluations()).isEqualTo(2);
    assertThat(finished.getLast().first()).containsExactly(Map.entry("accuracy", 0.1));
    assertThat(finished.getLast().clock()).isEqualTo(9);
    assertThat(finished.getLast().path())
        .containsExactly(
            new JobSpec.ScheduleEntry(0, Setting.of(Map.of("learningRate", 0.1 + 0.2))),
            new JobSpec.ScheduleEntry(4, Setting.EMPTY, Optional.of(new Shape.LinearToZero(6, 9))));
    assertThat(store.finished(program, 1)).hasSize(1);
    assertThat(queries.schedule(good).result()).isNotNull();
    assertThat(queries.schedule(newJob()).result()).isNull();
  }

  private String finished(
      String program, String policy, JobState end, List<JobPlan.ScheduleStep> path) {
    String id = "job_" + UUID.randomUUID().toString().replace("-", "");
    JobSpec spec = EventSamples.spec(program, policy);
    store.create(new JobStore.StoredJob(id, spec, 3, "d1"), "test", Optional.empty());
    append(
        id,
        1,
        List.of(),
        List.of(
            new SessionEffect.RunEvaluated(new BranchId(2), 0, 0, 0, Map.of("accuracy", 0.05)),
            new SessionEffect.MainlineEvaluated(new BranchId(1), 0, 0, 1, Map.of("accuracy", 0.1)),
            new SessionEffect.RunEvaluated(new BranchId(2), 9, 0.5, 1.5, Map.of("accuracy", 0.05)),
            new SessionEffect.MainlineEvaluated(
                new BranchId(1), 9, 0.5, 2, Map.of("accuracy", 0.9)),
            new SessionEffect.ResultChanged(1, 9, 0.5, new BranchId(1), 0.9, path),
            EventSamples.job(end)));
    return id;
  }

  @Test
  void pagesBranchesByNumber() {
    String job = newJob();
    List<SessionEffect> effects = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      effects.add(
          EventSamples.branch(
              i, i == 0 ? BranchKind.MAINLINE : BranchKind.TRIAL, BranchState.RUNNING, 0, 0));
    }
    append(job, 1, List.of(), effects);

    var first = queries.branches(job, null, null, 3, null);
    var second = queries.branches(job, null, null, 3, first.nextPageToken());
    var third = queries.branches(job, null, null, 3, second.nextPageToken());

    assertThat(first.items()).extracting(branch -> branch.branch()).containsExactly(0, 1, 2);
    assertThat(second.items()).extracting(branch -> branch.branch()).containsExactly(3, 4, 5);
    assertThat(third.items()).extracting(branch -> branch.branch()).containsExactly(6);
    assertThat(third.nextPageToken()).isNull();
    assertThat(queries.branches(job, null, "MAINLINE", 10, null).items()).hasSize(1);
    assertThat(queries.branches(job, 1, null, 10, null).items()).hasSize(6);
  }

  @Test
  void remembersSecretsOfWorkers() {
    String job = newJob();

    store.putWorkerSecret(job, 1, new byte[] {1, 2});
    store.putWorkerSecret(job, 1, new byte[] {3});

    assertThat(store.workerSecret(job, 1)).hasValueSatisfying(hash -> assertThat(hash).contains(3));
    assertThat(store.workerSecret(job, 2)).isEmpty();
    store.putWorkerSecret(job, 10, new byte[] {4});
    store.putWorkerSecret(job, 9, new byte[] {5});
    assertThat(store.workerSecret(job)).hasValueSatisfying(hash -> assertThat(hash).contains(4));
    assertThat(store.workerSecret(newJob())).isEmpty();
    assertThat(store.find(job).orElseThrow().spec()).isEqualTo(EventSamples.spec());
  }

  @Test
  void aJobThatStandsStillSaysWhy() {
    String job = newJob();
    append(job, 1, List.of(), List.of(EventSamples.job(JobState.TRAINING)));
    long version = job(job).version();

    assertThat(store.explain(job, "It cannot be resumed: its program is gone"))
        .extracting(StreamEvent::type)
        .containsExactly("job.changed");
    assertThat(store.explain(job, "It cannot be resumed: its program is gone")).isEmpty();

    assertThat(job(job).message()).isEqualTo("It cannot be resumed: its program is gone");
    assertThat(job(job).state()).isEqualTo(JobState.TRAINING);
    assertThat(job(job).version()).isEqualTo(version + 1);
    assertThat(store.standing(job).orElseThrow().reason()).isEqualTo(JobStore.NOT_RESUMED);
  }

  /// A policy leaves the mainline's chain behind to go back to, and runs that wait for their turn.
  @Test
  void nothingLivesOnOfAJobThatHasEnded() {
    String job = jobOfThreeBranches();

    List<StreamEvent> told =
        append(job, 1, List.of(), List.of(EventSamples.job(JobState.COMPLETED)));

    assertThat(states(job))
        .containsExactly(BranchState.KEPT, BranchState.DISCARDED, BranchState.FAILED);
    assertThat(told)
        .extracting(event -> event.type() + " " + event.data().get("state"))
        .containsExactly(
            "branch.changed KEPT", "branch.changed DISCARDED", "job.changed COMPLETED");
  }

  @Test
  void whatWorkersHeldIsLostWhenAJobIsKilledOrFails() {
    String killed = jobOfThreeBranches();
    String failed = jobOfThreeBranches();
    String withoutRunner = jobOfThreeBranches();

    append(
        killed,
        1,
        List.of(),
        List.of(new SessionEffect.KillWorkers(1), EventSamples.job(JobState.CANCELED)));
    append(failed, 1, List.of(), List.of(EventSamples.job(JobState.FAILED)));
    store.fail(withoutRunner, JobStore.NOT_RESUMED, "Ended by somebody");

    for (String job : List.of(killed, failed, withoutRunner)) {
      assertThat(states(job))
          .containsExactly(BranchState.LOST, BranchState.LOST, BranchState.FAILED);
    }
  }

  @Test
  void whatWasBeingWrittenFailsWithAJobWithoutRunner() {
    String job = jobOfThreeBranches();
    append(
        job,
        1,
        List.of(),
        List.of(
            new SessionEffect.SnapshotChanged(
                1, BranchId.ROOT, 200, 2, Setting.EMPTY, SnapshotState.READY, 4096, false),
            new SessionEffect.SnapshotChanged(
                2, BranchId.ROOT, 300, 3, Setting.EMPTY, SnapshotState.WRITING, 0, false)));

    List<StreamEvent> told = store.fail(job, JobStore.NOT_RESUMED, "Ended by somebody");

    assertThat(told)
        .extracting(event -> event.type() + " " + event.data().get("state"))
        .containsExactly(
            "snapshot.changed FAILED",
            "branch.changed LOST",
            "branch.changed LOST",
            "job.changed FAILED");
    assertThat(queries.stream(job, told.getFirst().sequence() - 1, 10)).isEqualTo(told);
    assertThat(store.fail(job, "again", "again")).isEmpty();
    assertThat(queries.snapshots(job, 50, null).items())
        .extracting(SnapshotView::snapshot, SnapshotView::state)
        .containsExactlyInAnyOrder(tuple(1L, SnapshotState.READY), tuple(2L, SnapshotState.FAILED));
  }

  private String jobOfThreeBranches() {
    String job = newJob();
    append(
        job,
        1,
        List.of(),
        List.of(
            EventSamples.job(JobState.TRAINING),
            EventSamples.branch(0, BranchKind.MAINLINE, BranchState.RUNNING, 0, 5),
            EventSamples.branch(1, BranchKind.TRIAL, BranchState.WAITING, 0, 0),
            EventSamples.branch(2, BranchKind.TRIAL, BranchState.FAILED, 0, 0)));
    return job;
  }

  private List<BranchState> states(String job) {
    return queries.branches(job, null, null, 10, null).items().stream()
        .map(BranchView::state)
        .toList();
  }

  private List<SessionEvent> events(String job) {
    var all = new ArrayList<SessionEvent>();
    List<SessionEvent> part = log.read(job, 0);
    while (!part.isEmpty()) {
      all.addAll(part);
      part = log.read(job, all.size());
    }
    return all;
  }

  private JobView job(String job) {
    return queries.job(job).orElseThrow();
  }

  private List<StreamEvent> append(
      String job, long first, List<SessionEvent> events, List<SessionEffect> effects) {
    return log.append(new Commit(job, first, events, effects, points(events)));
  }

  private static List<MetricPoint> points(List<SessionEvent> events) {
    return events.stream()
        .filter(SessionEvent.Progressed.class::isInstance)
        .map(SessionEvent.Progressed.class::cast)
        .flatMap(progress ->
            IntStream.range(0, progress.losses().size())
                .mapToObj(i ->
                    new MetricPoint(
                        progress.branch().number(),
                        progress.fromClock() + i,
                        progress.seconds().get(i),
                        progress.losses().get(i))))
        .toList();
  }

  @Test
  void aDeletedJobLeavesNoRowBehind() {
    String job = newJob();
    append(job, 1, EventSamples.EVENTS, List.of(EventSamples.job(JobState.COMPLETED)));
    append(job, EventSamples.EVENTS.size() + 1, List.of(), List.of(EventSamples.decide("a")));
    store.putWorkerSecret(job, 1, new byte[] {3});

    store.delete(job);

    assertThat(store.find(job)).isEmpty();
    assertThat(tablesOfJobs())
        .hasSizeGreaterThan(10)
        .allSatisfy(table ->
            assertThat(
                    sql.queryForObject(
                        "select count(*) from " + table + " where job_id = ?", Long.class, job))
                .as(table)
                .isZero());
  }

  @Test
  void aJobThatIsBeingDeletedIsSeenByNobodyAndCanBeDeleted() {
    String job = newJob();
    append(job, 1, EventSamples.EVENTS, List.of(EventSamples.job(JobState.COMPLETED)));
    long completed = queries.jobsByState().get(JobState.COMPLETED);
    sql.update("update job set delete_time = now() where job_id = ?", job);
    sql.update("delete from session_event where job_id = ?", job);

    assertThat(queries.job(job)).isEmpty();
    assertThat(queries.spec(job)).isEmpty();
    assertThat(queries.jobs(Set.of(), "", 1000, null).items())
        .extracting(JobView::id)
        .doesNotContain(job);
    assertThat(queries.jobsByState().getOrDefault(JobState.COMPLETED, 0L)).isEqualTo(completed - 1);
    assertThat(store.find(job)).isEmpty();
    assertThat(store.standing(job)).isEmpty();
    assertThat(store.halfDeleted()).contains(job);

    store.delete(job);

    assertThat(store.halfDeleted()).doesNotContain(job);
    assertThat(sql.queryForList("select * from job where job_id = ?", job)).isEmpty();
  }

  /// More rows than one statement may take.
  @Test
  void aLargeJobIsDeletedPieceByPiece() {
    String job = newJob();
    append(job, 1, List.of(), List.of(EventSamples.job(JobState.COMPLETED)));
    sql.update(
        "insert into loss_run (job_id, branch, first_clock, run_seconds, losses)"
            + " select ?, 0, n, '{1}', '{1}' from generate_series(1, 25000) as n",
        job);
    long before = transactionId();

    store.delete(job);

    assertThat(transactionId() - before).as("transactions of its own").isGreaterThan(4);
    assertThat(
            sql.queryForObject("select count(*) from loss_run where job_id = ?", Long.class, job))
        .isZero();
  }

  private long transactionId() {
    return requireNonNull(
        sql.queryForObject("select pg_current_xact_id()::text::bigint", Long.class));
  }

  private List<String> tablesOfJobs() {
    return sql.queryForList(
        "select table_name from information_schema.columns"
            + " where column_name = 'job_id' and table_schema = current_schema()",
        String.class);
  }

  @Test
  void everyTableOfJobsFollowsThem() {
    List<String> rules =
        sql.queryForList(
            "select confdeltype::text from pg_constraint"
                + " where contype = 'f' and confrelid = 'job'::regclass",
            String.class);

    assertThat(rules).hasSize(tablesOfJobs().size() - 1).containsOnly("c");
  }

  @Test
  void onlyAJobThatHasEndedCanBeDeleted() {
    String job = newJob();

    assertThatThrownBy(() -> store.delete(job))
        .isInstanceOfSatisfying(
            EspalierException.class,
            refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.WRONG_STATE))
        .hasMessageContaining("is QUEUED; only a job that has ended can be deleted");
    assertThat(store.find(job)).isPresent();
    assertThatThrownBy(() -> store.delete("job_none"))
        .isInstanceOfSatisfying(
            EspalierException.class,
            refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.NOT_FOUND));
  }

  private String newJob() {
    String id = "job_" + UUID.randomUUID().toString().replace("-", "");
    store.create(new JobStore.StoredJob(id, EventSamples.spec()), "test", Optional.empty());
    return id;
  }
}
