package dev.espalier.tuner.core.policy.mainline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.tuner.core.policy.Jobs;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.QuadraticModel;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.SimulatedWorkers;
import dev.espalier.tuner.core.session.TuningSession;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class FixedSessionTest {
  private final QuadraticModel model = QuadraticModel.quiet(1);

  @Test
  void theSessionStartsWithItsWorkers() {
    assertThat(Policies.open(Jobs.fixed(Jobs.setting(0.1), 2)).start())
        .containsExactly(
            new SessionEffect.JobChanged(
                JobState.STARTING, "starting", "Needs 2 workers", "workers"),
            new SessionEffect.LaunchWorkers(1));
  }

  @Test
  void oneSettingIsTrainedForTheEpochsGiven() {
    SimulatedWorkers run = Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 3), model).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(run.lastShown().message())
        .startsWith("Trained for the 3 epochs it was given; best loss ")
        .endsWith(" at epoch 3");
    assertThat(run.effects(SessionEffect.MainlineEvaluated.class))
        .extracting(SessionEffect.MainlineEvaluated::mainlineClock)
        .containsExactly(100L, 200L, 300L);
    assertThat(run.commands().getFirst())
        .isEqualTo(
            new BranchCommand.Create(
                BranchId.ROOT,
                Setting.of(Map.of("batchSize", 32.0, "learningRate", 0.1, "momentum", 0.5))));
    assertThat(run.commands().getLast()).isEqualTo(new BranchCommand.Stop());
    assertThat(run.effects(SessionEffect.TimeSpent.class).getLast().tuningSeconds()).isZero();
  }

  @Test
  void slicesAreSentAheadAndStopAtTheEpoch() {
    SimulatedWorkers run = Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 1), model, 1).run();

    // Ten clocks to learn the pace; when half are reported the rest of the epoch, which is < 2 s.
    assertThat(run.commands())
        .filteredOn(BranchCommand.Schedule.class::isInstance)
        .containsExactly(
            new BranchCommand.Schedule(BranchId.ROOT, 10, 100),
            new BranchCommand.Schedule(BranchId.ROOT, 100, 100));
  }

  @Test
  void withoutABoundWorkersMayGoOnAloneForTenEpochs() {
    SimulatedWorkers run = Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 0), model).run();

    assertThat(run.commands()).contains(new BranchCommand.Schedule(BranchId.ROOT, 10, 1010));
    assertThat(run.lastShown().message())
        .startsWith("Converged: no new best in the last 3 evaluations");
  }

  @Test
  void aFractionOfAnEpochEndsTheJobAfterAnEvaluation() {
    SimulatedWorkers run = Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 1.5), model).run();

    assertThat(run.effects(SessionEffect.MainlineEvaluated.class))
        .extracting(SessionEffect.MainlineEvaluated::mainlineClock)
        .containsExactly(100L, 150L);
  }

  @Test
  void aScheduleChangesSettingsOnNewBranches() {
    var steps =
        List.of(
            new JobPlan.ScheduleStep(0, Jobs.setting(0.2)),
            new JobPlan.ScheduleStep(130, Jobs.setting(0.02)));
    JobPlan plan =
        Jobs.plan("fixed", "random", Jobs.SPACE, Setting.EMPTY, steps, 1, Jobs.OPTIONS, 2);
    SimulatedWorkers run = Jobs.workers(plan, model).run();

    assertThat(run.effects(SessionEffect.ScheduleChanged.class))
        .extracting(
            SessionEffect.ScheduleChanged::mainlineClock,
            changed -> changed.setting().value("learningRate"),
            SessionEffect.ScheduleChanged::branch)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(0L, 0.2, BranchId.ROOT),
            org.assertj.core.groups.Tuple.tuple(130L, 0.02, new BranchId(1)));
    assertThat(run.commands())
        .containsSubsequence(
            new BranchCommand.Fork(
                new BranchId(1),
                BranchId.ROOT,
                BranchKind.MAINLINE,
                Jobs.SPACE.defaults().with(Jobs.setting(0.02))),
            new BranchCommand.Free(BranchId.ROOT),
            new BranchCommand.Schedule(new BranchId(1), 10, 70));
    assertThat(run.effects(SessionEffect.MainlineEvaluated.class))
        .extracting(SessionEffect.MainlineEvaluated::mainlineClock)
        .containsExactly(100L, 200L);
  }

  @Test
  void ratesFallAsTheScheduleSaysAlsoAfterALossInTheMiddleOfAFall() {
    var steps =
        List.of(
            new JobPlan.ScheduleStep(0, Jobs.setting(0.2), Shape.linearToZero(40, 180)),
            new JobPlan.ScheduleStep(180, Jobs.setting(0.2), Shape.linearToZero(250, 300)));
    JobPlan plan =
        Jobs.plan("fixed", "random", Jobs.SPACE, Setting.EMPTY, steps, 1, Jobs.OPTIONS, 3);
    var isLost = new AtomicBoolean();

    SimulatedWorkers run =
        Jobs.workers(plan, model)
            .afterEach((workers, event) -> {
              if (event instanceof SessionEvent.CheckpointWritten && !isLost.getAndSet(true)) {
                workers.lose();
              }
            })
            .run();

    assertThat(
            run.commands().stream()
                .filter(BranchCommand.Schedule.class::isInstance)
                .map(command -> ((BranchCommand.Schedule) command).shape())
                .distinct())
        .containsExactly(
            Shape.linearToZero(40, 180), Shape.linearToZero(-60, 80), Shape.linearToZero(150, 200));
    SessionEffect.ResultChanged result = run.effects(SessionEffect.ResultChanged.class).getLast();
    assertThat(result.mainlineClock()).isEqualTo(300);
    assertThat(result.path())
        .extracting(JobPlan.ScheduleStep::fromClock, JobPlan.ScheduleStep::shape)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(0L, Shape.linearToZero(40, 180)),
            org.assertj.core.groups.Tuple.tuple(180L, Shape.linearToZero(250, 300)));
  }

  @Test
  void anOverflowFailsTheJobAndNamesTheClock() {
    SimulatedWorkers run = Jobs.workers(Jobs.fixed(Jobs.setting(9.0), 3), model).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.FAILED);
    assertThat(run.lastShown().message())
        .startsWith("The training loss is NaN at clock ")
        .contains("learningRate 9")
        .endsWith("there is no good checkpoint yet");
  }

  @Test
  void aBatchLargerThanTheDataFailsTheJob() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.fixed(Setting.of(Map.of("batchSize", 4000.0)), 3), model).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.FAILED);
    assertThat(run.lastShown().message()).contains("batchSize 4000", "must be <= 6400");
  }

  @Test
  void theTargetEndsTheJob() {
    JobPlan plan = Jobs.fixed(Jobs.setting(0.1), 50);
    JobPlan withTarget = Jobs.with(plan, 0, 0.11);
    SimulatedWorkers run = Jobs.workers(withTarget, model).run();

    assertThat(run.lastShown().reason()).isEqualTo("target-reached");
    assertThat(run.effects(SessionEffect.MainlineEvaluated.class)).hasSizeLessThan(50);
  }

  @Test
  void theSecondsGivenEndTheJobAfterAnEvaluation() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.with(Jobs.fixed(Jobs.setting(0.1), 0), 0.9, Double.NaN), model).run();

    assertThat(run.lastShown().reason()).isEqualTo("max-seconds");
    assertThat(run.effects(SessionEffect.MainlineEvaluated.class).getLast().mainlineClock())
        .isGreaterThan(200);
  }

  @Test
  void theEndSaysWhatTheStartOfTheWorkersLeft() {
    assertThat(endOf(0.9, 1.0, 0))
        .isEqualTo(
            "Used, by its cost model, the 0.9 seconds it was given before its first clock: nothing"
                + " was trained");
    assertThat(endOf(10, 7.0, 20))
        .startsWith(
            "Used, by its cost model, the 10 seconds it was given, 7 of them before its first"
                + " clock;");
    assertThat(endOf(10, 4.0, 20))
        .startsWith("Used, by its cost model, the 10 seconds it was given;");
  }

  /// Whoever takes the model of a job that is complete trusts that it was trained.
  @Test
  void aJobThatEndedBeforeItsFirstClockHasFailed() {
    assertThat(lastShown(0)).isEqualTo(JobState.FAILED);
    assertThat(lastShown(20)).isEqualTo(JobState.COMPLETED);
  }

  /// {@return the state of a job that ran `count` clocks by the time that its seconds are used}
  private static JobState lastShown(int count) {
    var session = Policies.open(Jobs.with(Jobs.fixed(Jobs.setting(0.1), 0), 10, Double.NaN));
    List<SessionEffect> effects = effectsToTheEnd(session, 10, count == 0 ? 11 : 1, count);
    long[] checkpoints =
        effects.stream()
            .filter(SessionEffect.Command.class::isInstance)
            .map(effect -> ((SessionEffect.Command) effect).command())
            .filter(BranchCommand.Checkpoint.class::isInstance)
            .mapToLong(command -> ((BranchCommand.Checkpoint) command).checkpoint())
            .toArray();
    for (long checkpoint : checkpoints) {
      effects.addAll(
          session.step(new SessionEvent.CheckpointWritten(13, checkpoint, BranchId.ROOT, 8)));
    }
    return effects.stream()
        .filter(SessionEffect.JobChanged.class::isInstance)
        .map(effect -> ((SessionEffect.JobChanged) effect).state())
        .reduce((_, last) -> last)
        .orElseThrow();
  }

  /// {@return how a job ends whose workers are ready after `readySeconds`, and run `count` clocks
  /// by the time that its seconds are used}
  private static String endOf(double maxSeconds, double readySeconds, int count) {
    var session =
        Policies.open(Jobs.with(Jobs.fixed(Jobs.setting(0.1), 0), maxSeconds, Double.NaN));
    return effectsToTheEnd(session, maxSeconds, readySeconds, count).stream()
        .filter(SessionEffect.Decide.class::isInstance)
        .map(effect -> ((SessionEffect.Decide) effect).decision())
        .filter(decision -> decision.key().equals("end"))
        .map(Decision::outcome)
        .findFirst()
        .orElseThrow();
  }

  private static List<SessionEffect> effectsToTheEnd(
      TuningSession session, double maxSeconds, double readySeconds, int count) {
    var effects = new ArrayList<>(session.start());
    effects.addAll(session.step(new SessionEvent.WorkersReady(readySeconds, 1, 2, 6400, 32)));
    if (count > 0) {
      effects.addAll(session.step(clocks(readySeconds + 0.001 * count, 0, count)));
      effects.addAll(session.step(clocks(maxSeconds + 1, count, scheduled(effects) - count)));
    }
    effects.addAll(
        session.step(
            new SessionEvent.Evaluated(
                maxSeconds + 2, 1, BranchId.ROOT, Map.of("loss", 0.5), 0.1)));
    return effects;
  }

  private static int scheduled(List<SessionEffect> effects) {
    return effects.stream()
        .map(effect -> effect instanceof SessionEffect.Command command ? command.command() : null)
        .filter(BranchCommand.Schedule.class::isInstance)
        .mapToInt(command -> (int) ((BranchCommand.Schedule) command).untilClock())
        .max()
        .orElseThrow();
  }

  @Test
  void workersThatWentOnAloneAreCountedAndEvaluatedOnce() {
    var session = Policies.open(Jobs.fixed(Jobs.setting(0.1), 0));
    session.start();
    session.step(new SessionEvent.WorkersReady(0, 1, 2, 6400, 32));
    session.step(clocks(1, 0, 10));
    List<SessionEffect> effects = session.step(clocks(4, 10, 240));

    assertThat(effects)
        .contains(new SessionEffect.Command(new BranchCommand.Evaluate(BranchId.ROOT, 1)));
    effects =
        session.step(new SessionEvent.Evaluated(5, 1, BranchId.ROOT, Map.of("loss", 0.5), 0.1));
    assertThat(effects)
        .contains(
            new SessionEffect.MainlineEvaluated(BranchId.ROOT, 250, 2.5, 5, Map.of("loss", 0.5)))
        .contains(new SessionEffect.Command(new BranchCommand.Schedule(BranchId.ROOT, 300, 1300)));
  }

  /// Evaluations are 0.2 s apart.
  @ParameterizedTest
  @CsvSource({
    "false, 0,     1 2 3 4 5 6 7 8 9 10 11 12 13 14", // all that are written at once
    "false, 0.045, 1 6 11", // a twentieth of the time
    "false, 0.15,  1 11", // no more than 2 s, though 3 would be a twentieth
    "true,  0.15,  1 2 3 4 5 6 7 8 9 10 11 12 13 14", // by a cost model they take nothing
  })
  void whereEvaluationsAreOftenCheckpointsAreNot(
      boolean hasTimeModel, double writingSeconds, String expected) {
    JobPlan plan = Jobs.fixed(Jobs.setting(0.1), 20);
    var session = Policies.open(hasTimeModel ? plan : Jobs.withoutTimeModel(plan));
    session.start();
    session.step(new SessionEvent.WorkersReady(0, 1, 2, 6400, 32));
    var saved = new ArrayList<String>();
    var results = new ArrayList<String>();
    for (int evaluation = 1; evaluation <= 14; evaluation++) {
      double now = 0.2 * evaluation;
      session.step(clocks(now, 100L * (evaluation - 1), 100));
      var evaluated =
          new SessionEvent.Evaluated(now, evaluation, BranchId.ROOT, Map.of("loss", 0.5), 0.01);
      for (SessionEffect effect : session.step(evaluated)) {
        if (effect instanceof SessionEffect.Command(BranchCommand.Checkpoint asked)) {
          saved.add(String.valueOf(evaluation));
          session.step(
              new SessionEvent.CheckpointWritten(
                  now + writingSeconds, asked.checkpoint(), BranchId.ROOT, 8));
        }
        if (effect instanceof SessionEffect.ResultChanged result) {
          assertThat(result.mainlineClock()).isEqualTo(100L * evaluation);
          assertThat(result.value()).isEqualTo(0.5);
          results.add(String.valueOf(evaluation));
        }
      }
    }
    assertThat(String.join(" ", saved)).isEqualTo(expected);
    // What is the result can be taken out.
    assertThat(results).isEqualTo(saved);
  }

  @Test
  void aJobWhoseLastCheckpointIsLostHasTheOneBeforeAsItsResult() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 3), model)
            .afterEach((workers, _) -> {
              if (workers.lastShown().state() == JobState.STOPPING) {
                workers.lose();
              }
            })
            .run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(run.isResultSaved()).isTrue();
  }

  private static SessionEvent clocks(double at, long from, int count) {
    var losses = java.util.Collections.nCopies(count, 1.0);
    return new SessionEvent.Progressed(
        at, BranchId.ROOT, from, losses, java.util.Collections.nCopies(count, 0.001));
  }
}
