package dev.espalier.tuner.core.policy.job;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.SnapshotState;
import dev.espalier.tuner.core.policy.Jobs;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.QuadraticModel;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.SessionEvent.UserRequest;
import dev.espalier.tuner.core.session.SimulatedWorkers;
import dev.espalier.tuner.core.session.TuningSession;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What holds for every job: replay, requests, losses, checkpoints.
final class JobSessionTest {
  private static final double EPOCHS = 6;

  @Test
  void theSameEventsGiveTheSameEffects() {
    for (long seed = 0; seed < 50; seed++) {
      JobPlan plan = plan(seed);
      SimulatedWorkers run = disturbed(plan, seed).run();
      TuningSession again = Policies.open(plan);
      List<SessionEffect> effects = new ArrayList<>(again.start());
      run.events().forEach(event -> effects.addAll(again.step(event)));

      assertThat(effects).as("seed %d", seed).isEqualTo(run.effects());
      assertThat(again.isEnded()).isTrue();
    }
  }

  @Test
  void thePiecesOfAReportDoNotMatter() {
    for (long seed = 0; seed < 20; seed++) {
      JobPlan plan = plan(seed);
      var model = QuadraticModel.quiet(seed);
      List<Decision> whole = Jobs.workers(plan, model, 100_000).run().decisions();
      List<Decision> single = Jobs.workers(plan, model, 1).run().decisions();
      List<Decision> sevens = Jobs.workers(plan, model, 7).run().decisions();

      assertThat(keysAndOutcomes(single)).as("seed %d", seed).isEqualTo(keysAndOutcomes(whole));
      assertThat(keysAndOutcomes(sevens)).as("seed %d", seed).isEqualTo(keysAndOutcomes(whole));
    }
  }

  @Test
  void lostWorkersDoNotChangeWhatIsAdopted() {
    for (long seed = 0; seed < 40; seed++) {
      JobPlan plan = plan(seed);
      var model = QuadraticModel.quiet(seed);
      SimulatedWorkers calm = Jobs.workers(plan, model).run();
      int lossAfter = 2 + new SplittableRandom(seed).nextInt(calm.events().size() - 3);
      SimulatedWorkers run =
          Jobs.workers(plan, model).afterEach((workers, _) -> loseOnce(workers, lossAfter)).run();

      assertThat(run.lastShown().state())
          .as("seed %d, loss after event %d", seed, lossAfter)
          .isEqualTo(JobState.COMPLETED);
      assertThat(adopted(run))
          .as("seed %d, loss after event %d", seed, lossAfter)
          .isEqualTo(adopted(calm));
      assertThat(run.decisions()).extracting(Decision::key).contains("recovery-1");
    }
  }

  @Test
  void aLostRoundStartsAgainUnderAnotherKey() {
    SimulatedWorkers run =
        Jobs.workers(plan(1), QuadraticModel.quiet(1))
            .afterEach((workers, _) -> loseOnce(workers, 12))
            .run();

    assertThat(run.decisions())
        .extracting(Decision::key)
        .containsSubsequence("round-1/start", "recovery-1", "round-1.2/start", "round-1.2/adopt");
    assertThat(run.effects(SessionEffect.BranchChanged.class))
        .extracting(SessionEffect.BranchChanged::state)
        .contains(BranchState.LOST);
    assertThat(run.effects(SessionEffect.LaunchWorkers.class))
        .containsExactly(new SessionEffect.LaunchWorkers(1), new SessionEffect.LaunchWorkers(2));
  }

  @Test
  void trainingGoesOnFromTheLastCheckpoint() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 4), QuadraticModel.quiet(1), 10)
            .afterEach((workers, _) -> loseOnce(workers, 28))
            .run();

    assertThat(run.commands())
        .filteredOn(BranchCommand.Restore.class::isInstance)
        .singleElement()
        .extracting(command -> ((BranchCommand.Restore) command).checkpoint())
        .isEqualTo(2L);
    assertThat(run.effects(SessionEffect.MainlineEvaluated.class))
        .extracting(SessionEffect.MainlineEvaluated::mainlineClock)
        .containsExactly(100L, 200L, 300L, 400L);
    assertThat(run.effects(SessionEffect.MainlineEvaluated.class))
        .extracting(SessionEffect.MainlineEvaluated::metrics)
        .isEqualTo(
            Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 4), QuadraticModel.quiet(1), 10)
                .run()
                .effects(SessionEffect.MainlineEvaluated.class)
                .stream()
                .map(SessionEffect.MainlineEvaluated::metrics)
                .toList());
  }

  @Test
  void aDamagedCheckpointSendsWorkersToTheOneBefore() {
    SimulatedWorkers run =
        thatGoesBackToTheFirstCheckpoint(
            workers -> workers.damageCheckpoints(checkpoint -> checkpoint == 2));

    assertThat(run.commands()).contains(new BranchCommand.DropCheckpoint(2));
    assertThat(run.decision("checkpoint-2/damaged").outcome())
        .isEqualTo(
            "Checkpoint 2 is damaged (checkpoint 2 is torn); checkpoint 1 at epoch 1 is the last"
                + " good one");
    assertThat(run.effects(SessionEffect.MainlineEvaluated.class).getLast().mainlineClock())
        .isEqualTo(400);
  }

  @Test
  void whatOthersHaveOfACheckpointThatOneWorkerMissesStays() {
    SimulatedWorkers run =
        thatGoesBackToTheFirstCheckpoint(
            workers -> workers.loseCheckpoints(checkpoint -> checkpoint == 2));

    assertThat(run.commands()).doesNotContain(new BranchCommand.DropCheckpoint(2));
    assertThat(run.decision("checkpoint-2/missing").outcome())
        .isEqualTo(
            "Checkpoint 2 is missing (worker 1 has no 2); checkpoint 1 at epoch 1 is the last good"
                + " one");
  }

  private static SimulatedWorkers thatGoesBackToTheFirstCheckpoint(
      UnaryOperator<SimulatedWorkers> withoutTheSecond) {
    SimulatedWorkers run =
        withoutTheSecond
            .apply(Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 4), QuadraticModel.quiet(1), 10))
            .afterEach((workers, _) -> loseOnce(workers, 28))
            .run();
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(run.commands())
        .filteredOn(BranchCommand.Restore.class::isInstance)
        .extracting(command -> ((BranchCommand.Restore) command).checkpoint())
        .containsExactly(2L, 1L);
    return run;
  }

  @Test
  void aCheckpointThatCannotBeOpenedIsTriedAgain() {
    int[] tries = {0};
    SimulatedWorkers run =
        Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 4), QuadraticModel.quiet(1), 10)
            .closeCheckpoints(_ -> ++tries[0] < 4)
            .afterEach((workers, _) -> loseOnce(workers, 28))
            .run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(run.commands())
        .filteredOn(BranchCommand.Restore.class::isInstance)
        .extracting(command -> ((BranchCommand.Restore) command).checkpoint())
        .containsExactly(2L, 2L, 2L, 2L);
    assertThat(run.decisions()).extracting(Decision::rule).doesNotContain("job.checkpoint");
    assertThat(run.decision("recovery-2").outcome())
        .isEqualTo(
            "Workers cannot open a checkpoint (2: too many open files); new workers go on from"
                + " checkpoint 2");
  }

  @Test
  void aCheckpointThatNobodyCanOpenEndsTheJobAndStays() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 4), QuadraticModel.quiet(1), 10)
            .closeCheckpoints(_ -> true)
            .afterEach((workers, _) -> loseOnce(workers, 28))
            .run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.FAILED);
    assertThat(run.lastShown().message()).contains("2: too many open files");
    assertThat(run.commands()).doesNotContain(new BranchCommand.DropCheckpoint(2));
  }

  @Test
  void workersBeginAgainWhenEveryCheckpointIsDamaged() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 4), QuadraticModel.quiet(1), 10)
            .damageCheckpoints(_ -> true)
            .afterEach((workers, _) -> loseOnce(workers, 28))
            .run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(run.commands()).filteredOn(BranchCommand.Create.class::isInstance).hasSize(2);
  }

  @Test
  void anOverflowInTrainingGoesBackAndTunesAgain() {
    var model = new ExplodingOnce(QuadraticModel.quiet(4), 20);
    SimulatedWorkers run = Jobs.workers(plan(4), model).run();

    assertThat(run.decisions())
        .extracting(Decision::key)
        .containsSubsequence(
            "round-1/adopt", "overflow-1", "recovery-1", "round-2/start", "round-2/adopt", "end");
    assertThat(run.effects())
        .containsSubsequence(new SessionEffect.KillWorkers(1), new SessionEffect.LaunchWorkers(2));
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  /// A program whose loss overflows once, in training.
  private static final class ExplodingOnce implements SimulatedWorkers.Model {
    private final QuadraticModel model;
    private int evaluationsLeft = 2;
    private int clocksLeft;

    ExplodingOnce(QuadraticModel model, int clocksAfter) {
      this.model = model;
      this.clocksLeft = clocksAfter;
    }

    @Override
    public double[] initial() {
      return model.initial();
    }

    @Override
    public double clock(double[] state, Setting setting) {
      double loss = model.clock(state, setting);
      return evaluationsLeft == 0 && clocksLeft-- == 0 ? Double.NaN : loss;
    }

    @Override
    public double evaluate(double[] state) {
      evaluationsLeft = Math.max(0, evaluationsLeft - 1);
      return model.evaluate(state);
    }
  }

  @Test
  void workersThatAreLostAgainAndAgainEndTheJob() {
    SimulatedWorkers run =
        Jobs.workers(plan(1), QuadraticModel.quiet(1))
            .afterEach((workers, event) -> {
              if (event instanceof SessionEvent.Progressed) {
                workers.lose();
              }
            })
            .run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.FAILED);
    assertThat(run.lastShown().message())
        .startsWith("Workers were lost 6 times without any progress in between");
    assertThat(run.effects(SessionEffect.LaunchWorkers.class)).hasSize(6);
  }

  @ParameterizedTest
  @ValueSource(ints = {6, 60})
  void aJobThatHasACheckpointOutlivesAMachineThatHasNoRoomForAWhile(int vainStarts) {
    SimulatedWorkers run = withVainStartsAfterItsFirstCheckpoint(vainStarts);

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(run.effects(SessionEffect.LaunchWorkers.class)).hasSize(2 + vainStarts);
  }

  @ParameterizedTest
  @ValueSource(strings = {"INVALID_DATA", "PROGRAM_FAILED"})
  void dataThatAreAwayForAWhileDoNotEndAJobThatHasACheckpoint(String code) {
    SimulatedWorkers run = withoutDataAfter(SessionEvent.CheckpointWritten.class, code, 9);

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(run.effects(SessionEffect.LaunchWorkers.class)).hasSize(2 + 9);
    assertThat(run.decision("recovery-2").outcome())
        .isEqualTo(
            "Workers cannot open the program (data/svm: there is none); new workers go on from"
                + " checkpoint 1");
  }

  @Test
  void dataThatNeverComeBackEndAJobInTheEnd() {
    SimulatedWorkers run =
        withoutDataAfter(SessionEvent.CheckpointWritten.class, "INVALID_DATA", 61);

    assertThat(run.lastShown().state()).isEqualTo(JobState.FAILED);
    assertThat(run.lastShown().message())
        .startsWith("Workers ended 61 times in a row before all of them were there")
        .contains("data/svm: there is none");
  }

  @Test
  void aJobThatHasNothingToLoseSaysAtOnceThatItsDataAreAway() {
    SimulatedWorkers run = withoutDataAfter(SessionEvent.WorkersReady.class, "INVALID_DATA", 1);

    assertThat(run.lastShown().state()).isEqualTo(JobState.FAILED);
    assertThat(run.lastShown().message()).isEqualTo("data/svm: there is none");
  }

  @Test
  void otherDataAreNotTrainedOn() {
    SimulatedWorkers back = withOtherDataFor(4);
    SimulatedWorkers gone = withOtherDataFor(1_000);

    assertThat(back.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(back.effects(SessionEffect.LaunchWorkers.class)).hasSize(2 + 4);
    assertThat(back.decision("recovery-2").outcome())
        .startsWith("Workers cannot go on: the data have changed: ")
        .contains("and 77 samples to judge by, but the job has trained on ");
    assertThat(gone.lastShown().state()).isEqualTo(JobState.FAILED);
    assertThat(gone.lastShown().message()).contains("bring them back, or begin a new job");
    assertThat(gone.effects(SessionEffect.MainlineEvaluated.class)).hasSize(1);
  }

  /// Loses the workers once at the first event of a kind, and lets those after them not open the
  /// data for some times.
  private static SimulatedWorkers withoutDataAfter(
      Class<? extends SessionEvent> kind, String code, int times) {
    var left = new AtomicInteger(1 + times);
    return Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 12), QuadraticModel.quiet(1))
        .afterEach((workers, event) -> {
          if (left.get() > times && kind.isInstance(event)) {
            left.decrementAndGet();
            workers.lose();
          } else if (left.get() <= times
              && left.get() > 0
              && (event instanceof SessionEvent.WorkersLost
                  || event instanceof SessionEvent.ProgramFailed)) {
            left.decrementAndGet();
            workers.fail(code, "data/svm: there is none");
          }
        })
        .run();
  }

  /// Loses the workers after the first checkpoint; those after them open other data for some times.
  private static SimulatedWorkers withOtherDataFor(int times) {
    var starts = new AtomicInteger(-1);
    return Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 12), QuadraticModel.quiet(1))
        .holdOut(64)
        .afterEach((workers, event) -> {
          if (starts.get() < 0 && event instanceof SessionEvent.CheckpointWritten) {
            starts.set(0);
            workers.holdOut(77);
            workers.lose();
          } else if (starts.get() >= 0
              && event instanceof SessionEvent.WorkersReady
              && starts.incrementAndGet() == times - 1) {
            workers.holdOut(64);
          }
        })
        .run();
  }

  @Test
  void whatLostWorkersMayNotHaveDroppedIsDroppedByTheNext() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 12), QuadraticModel.quiet(1))
            .afterEach((workers, event) -> {
              if (event
                      instanceof
                      SessionEvent.CheckpointWritten(double _, long number, BranchId _, long _)
                  && number == 5) {
                workers.lose();
              }
            })
            .run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(run.commands())
        .filteredOn(new BranchCommand.DropCheckpoint(2)::equals)
        .as("told twice, for the first time right before workers were lost")
        .hasSize(2);
  }

  @Test
  void workersThatNeverComeAgainEndAJobInTheEnd() {
    SimulatedWorkers run = withVainStartsAfterItsFirstCheckpoint(61);

    assertThat(run.lastShown().state()).isEqualTo(JobState.FAILED);
    assertThat(run.lastShown().message())
        .startsWith("Workers ended 61 times in a row before all of them were there");
  }

  @Test
  void workersThatDoNotComeAgainEndAJobSoonThatHasNoCheckpoint() {
    SimulatedWorkers run =
        Jobs.workers(plan(1), QuadraticModel.quiet(1))
            .afterEach((workers, event) -> {
              if (event instanceof SessionEvent.WorkersReady
                  || event instanceof SessionEvent.WorkersLost) {
                workers.lose();
              }
            })
            .run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.FAILED);
    assertThat(run.lastShown().message())
        .startsWith("Workers were lost 6 times without any progress in between");
  }

  private static SimulatedWorkers withVainStartsAfterItsFirstCheckpoint(int vainStarts) {
    var left = new AtomicInteger(1 + vainStarts);
    return Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 12), QuadraticModel.quiet(1))
        .afterEach((workers, event) -> {
          boolean isDue =
              left.get() > vainStarts
                  ? event instanceof SessionEvent.CheckpointWritten
                  : event instanceof SessionEvent.WorkersLost && left.get() > 0;
          if (isDue) {
            left.decrementAndGet();
            workers.lose();
          }
        })
        .run();
  }

  @Test
  void theLastGoodCheckpointIsNeverDropped() {
    for (long seed = 0; seed < 10; seed++) {
      long failEvery = 2 + seed % 3;
      SimulatedWorkers run =
          Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 12), QuadraticModel.quiet(seed))
              .failCheckpoints(checkpoint -> checkpoint % failEvery == 0)
              .run();
      var good = new TreeSet<Long>();
      for (Object step : inOrder(run)) {
        if (step instanceof SessionEvent.CheckpointWritten written) {
          good.add(written.checkpoint());
        } else if (step instanceof BranchCommand.DropCheckpoint drop
            && good.remove(drop.checkpoint())) {
          assertThat(good).as("seed %d after %s", seed, drop).hasSize(2);
        }
      }
      assertThat(good).as("seed %d", seed).hasSize(2);
    }
  }

  @Test
  void aFailedCheckpointIsToldAndTheJobGoesOn() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 3), QuadraticModel.quiet(1))
            .failCheckpoints(_ -> true)
            .run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(run.lastShown().message()).endsWith("there is no good checkpoint yet");
    assertThat(run.decision("checkpoint-1/failed").outcome())
        .isEqualTo(
            "Checkpoint 1 failed (No space left on device); the job goes on, and there is no good"
                + " checkpoint yet");
  }

  @Test
  void aFailedCheckpointIsTakenBackByTheNextThatIsGood() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.fixed(Jobs.setting(0.1), 6), QuadraticModel.quiet(1))
            .failCheckpoints(checkpoint -> checkpoint == 2)
            .run();

    List<SessionEffect.JobChanged> shown = run.effects(SessionEffect.JobChanged.class);
    int failed =
        shown.stream().map(SessionEffect.JobChanged::reason).toList().indexOf("checkpoint-failed");
    assertThat(shown.get(failed + 1).message())
        .isEqualTo("Going on; checkpoints can be written again");
  }

  @Test
  void aFailedCheckpointDoesNotKeepARoundFromStarting() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.tuned(1, Jobs.OPTIONS, 0), new QuadraticModel(1, 0.02, 3, 0.05, 0, 1))
            .failCheckpoints(_ -> true)
            .run();

    assertThat(run.decisions()).extracting(Decision::key).contains("round-2/start");
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  @Test
  void cancelWritesACheckpointFirst() {
    for (int after = 1; after < 60; after += 3) {
      SimulatedWorkers run = asked(plan(2), after, new UserRequest.Cancel()).run();

      assertThat(run.lastShown().state()).as("after %d", after).isEqualTo(JobState.CANCELED);
      assertThat(run.lastShown().message()).startsWith("Canceled by token:test");
      assertThat(run.commands().getLast()).isEqualTo(new BranchCommand.Stop());
      assertThat(run.commands()).anyMatch(BranchCommand.Checkpoint.class::isInstance);
      assertThat(run.effects(SessionEffect.ResultChanged.class).getLast().mainlineClock())
          .as("after %d", after)
          .isEqualTo(
              run.effects(SessionEffect.SnapshotChanged.class).stream()
                  .filter(snapshot -> snapshot.state() == SnapshotState.WRITING)
                  .mapToLong(SessionEffect.SnapshotChanged::mainlineClock)
                  .reduce((_, last) -> last)
                  .orElseThrow());
    }
  }

  @Test
  void cancelBeforeWorkersCameEndsAtOnce() {
    TuningSession session = Policies.open(plan(1));
    session.start();
    List<SessionEffect> effects =
        session.step(new SessionEvent.Requested(1, new UserRequest.Cancel(), "token:test"));

    assertThat(effects)
        .contains(
            new SessionEffect.KillWorkers(1),
            new SessionEffect.JobChanged(
                JobState.CANCELED, "canceled", "Canceled by token:test", ""));
    assertThat(session.isEnded()).isTrue();
  }

  @Test
  void killEndsAtOnce() {
    SimulatedWorkers run = asked(plan(2), 20, new UserRequest.Kill()).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.CANCELED);
    assertThat(run.lastShown().reason()).isEqualTo("killed");
    assertThat(run.effects()).contains(new SessionEffect.KillWorkers(1));
    assertThat(run.commands()).doesNotContain(new BranchCommand.Stop());
  }

  @Test
  void aJobThatIsKilledHasItsLastGoodCheckpointAsItsResult() {
    for (JobPlan plan : PLANS) {
      SimulatedWorkers run =
          endedWhileItSaves(plan, workers -> workers.ask(new UserRequest.Kill()));

      assertThat(run.lastShown().reason()).isEqualTo("killed");
      assertResultIsSaved(run);
    }
  }

  @Test
  void aJobThatFailsHasItsLastGoodCheckpointAsItsResult() {
    for (JobPlan plan : PLANS) {
      SimulatedWorkers run =
          endedWhileItSaves(plan, workers -> workers.fail("INVALID_DATA", "cut off"));

      assertThat(run.lastShown().state()).isEqualTo(JobState.FAILED);
      assertResultIsSaved(run);
    }
  }

  private static final List<JobPlan> PLANS =
      List.of(Jobs.fixed(Jobs.setting(0.1), EPOCHS), plan(2));

  /// Ends a job when the checkpoint of its third evaluation is on its way.
  private static SimulatedWorkers endedWhileItSaves(JobPlan plan, Consumer<SimulatedWorkers> end) {
    Set<String> once = new HashSet<>();
    return Jobs.workers(plan, QuadraticModel.quiet(2))
        .afterEach((workers, event) -> {
          boolean isThird = workers.effects(SessionEffect.MainlineEvaluated.class).size() == 3;
          if (event instanceof SessionEvent.Evaluated && isThird && once.add("ended")) {
            end.accept(workers);
          }
        })
        .run();
  }

  private static void assertResultIsSaved(SimulatedWorkers run) {
    assertThat(run.snapshots())
        .extracting(SessionEffect.SnapshotChanged::state)
        .contains(SnapshotState.FAILED)
        .doesNotContain(SnapshotState.WRITING);
    assertThat(run.isResultSaved()).isTrue();
    SessionEffect.ResultChanged result = run.effects(SessionEffect.ResultChanged.class).getLast();
    assertThat(run.effects(SessionEffect.MainlineEvaluated.class))
        .filteredOn(evaluated -> evaluated.mainlineClock() == result.mainlineClock())
        .extracting(evaluated -> evaluated.metrics().get("loss"))
        .containsExactly(result.value());
  }

  @Test
  void pauseHoldsAndResumeGoesOnWithTheSameResult() {
    JobPlan plan = plan(3);
    var model = QuadraticModel.quiet(3);
    SimulatedWorkers calm = Jobs.workers(plan, model).run();
    SimulatedWorkers run =
        Jobs.workers(plan, model)
            .afterEach((workers, _) -> {
              if (workers.events().size() == 15) {
                workers.ask(new UserRequest.Pause());
                workers.ask(new UserRequest.Resume());
              }
            })
            .run();

    assertThat(run.effects())
        .containsSubsequence(new SessionEffect.Hold(true), new SessionEffect.Hold(false));
    assertThat(run.effects(SessionEffect.JobChanged.class))
        .extracting(SessionEffect.JobChanged::state)
        .containsSubsequence(JobState.TUNING, JobState.PAUSED, JobState.TUNING);
    assertThat(adopted(run)).isEqualTo(adopted(calm));
  }

  @Test
  void aPersonMayAskForARound() {
    SimulatedWorkers run = askedInTraining(new UserRequest.Retune());

    assertThat(run.decisions())
        .extracting(Decision::key)
        .containsSubsequence("round-1/adopt", "request-1", "round-2/start", "round-2/adopt");
    assertThat(run.decision("round-2/start").actor()).isEqualTo("token:test");
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  @Test
  void aPersonMayTryASettingBesideTheCurrentOne() {
    SimulatedWorkers run = askedInTraining(new UserRequest.Try(Jobs.setting(0.123)));

    List<Setting> raced =
        run.commands().stream()
            .filter(BranchCommand.Fork.class::isInstance)
            .map(BranchCommand.Fork.class::cast)
            .map(BranchCommand.Fork::setting)
            .toList()
            .reversed()
            .subList(0, 2);
    assertThat(raced.get(0).value("learningRate")).isEqualTo(0.123);
    assertThat(raced.get(1).with(Jobs.setting(0.123))).isEqualTo(raced.get(0));
    assertThat(run.decision("request-1").outcome())
        .isEqualTo("The request to try learningRate 0.123 is accepted");
  }

  @Test
  void aPersonMayEndARoundWithATrialOfTheirChoice() {
    SimulatedWorkers run = askedOfTrial(plan(4), 3, branch -> new UserRequest.Keep(branch)).run();

    Decision adopted = run.decision("round-1/adopt");
    assertThat(run.decision("request-1").rule()).isEqualTo("request.accepted");
    assertThat(adopted.outcome()).endsWith("token:test chose it");
    assertThat(adopted.evidence().get("branch"))
        .isEqualTo(run.decision("round-1/trial-3").evidence().get("branch"));
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  @Test
  void aTrialThatIsGivenUpIsFreedAndTheRoundGoesOn() {
    for (long seed = 0; seed < 20; seed++) {
      SimulatedWorkers run =
          askedOfTrial(plan(seed), 2, branch -> new UserRequest.Discard(branch)).run();

      Decision asked = run.decision("request-1");
      if (asked.rule().equals("request.accepted")) {
        assertThat(run.decision("round-1/trial-2").rule())
            .as("seed %d", seed)
            .isEqualTo("request.discard");
      } else {
        assertThat(asked.outcome()).as("seed %d", seed).contains("not an open trial");
      }
      assertThat(run.lastShown().state()).as("seed %d", seed).isEqualTo(JobState.COMPLETED);
    }
  }

  @Test
  void trainingGoesBackToASnapshotAndKeepsWhereItStood() {
    JobPlan plan = Jobs.fixed(Jobs.setting(0.1), 6);
    Set<String> once = new HashSet<>();
    SimulatedWorkers run =
        Jobs.workers(plan, QuadraticModel.quiet(1), 10)
            .afterEach((workers, event) -> {
              if (event instanceof SessionEvent.CheckpointWritten written
                  && written.checkpoint() == 3
                  && once.add("asked")) {
                workers.ask(new UserRequest.Restore(2));
              }
            })
            .run();

    Decision back = run.decision("restore-1");
    assertThat(back.actor()).isEqualTo("token:test");
    assertThat(run.commands())
        .filteredOn(BranchCommand.Restore.class::isInstance)
        .singleElement()
        .extracting(command -> ((BranchCommand.Restore) command).checkpoint())
        .isEqualTo(2L);
    assertThat(run.effects(SessionEffect.MainlineEvaluated.class))
        .extracting(SessionEffect.MainlineEvaluated::mainlineClock)
        .containsSubsequence(300L, 300L, 400L, 500L, 600L);
    assertThat(run.decision("recovery-1").outcome())
        .startsWith("token:test went back to snapshot 2; new workers go on from checkpoint 2");
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  /// Two are kept, and three newer ones are written after it.
  @Test
  void whereTrainingStoodOutlivesWhatIsWrittenAfterItWentBack() {
    SimulatedWorkers run = thatIsToGoBack(8, 450, 3);

    long left =
        run.commands().stream()
            .takeWhile(command -> !(command instanceof BranchCommand.Restore))
            .filter(BranchCommand.Checkpoint.class::isInstance)
            .mapToLong(command -> ((BranchCommand.Checkpoint) command).checkpoint())
            .max()
            .orElseThrow();
    assertThat(run.decision("restore-1").outcome())
        .isEqualTo("Go back to snapshot 3 at epoch 3; pinned, to come back to: [" + left + "]");
    assertThat(run.commands())
        .filteredOn(BranchCommand.DropCheckpoint.class::isInstance)
        .doesNotContain(new BranchCommand.DropCheckpoint(left))
        .contains(new BranchCommand.DropCheckpoint(left + 1));
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  /// Two are kept, and where training stands is saved before it goes back to the older one.
  @Test
  void aSnapshotThatIsToBeGoneBackToIsNotDropped() {
    SimulatedWorkers run = thatIsToGoBack(6, 300, 2);

    assertThat(run.decision("restore-1").outcome()).startsWith("Go back to snapshot 2");
    assertThat(run.commands())
        .filteredOn(command -> command instanceof BranchCommand.Restore || isDropOf(2, command))
        .first()
        .isInstanceOf(BranchCommand.Restore.class);
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  /// @param clock after which a person asks, once
  private static SimulatedWorkers thatIsToGoBack(int epochs, long clock, long snapshot) {
    Set<String> once = new HashSet<>();
    return Jobs.workers(Jobs.fixed(Jobs.setting(0.1), epochs), QuadraticModel.quiet(1), 10)
        .afterEach((workers, event) -> {
          if (event instanceof SessionEvent.Progressed progressed
              && progressed.fromClock() > clock
              && once.add("asked")) {
            workers.ask(new UserRequest.Restore(snapshot));
          }
        })
        .run();
  }

  private static boolean isDropOf(long checkpoint, BranchCommand command) {
    return command.equals(new BranchCommand.DropCheckpoint(checkpoint));
  }

  @Test
  void aPinnedSnapshotOutlivesNewerOnes() {
    JobPlan plan = Jobs.fixed(Jobs.setting(0.1), 8);
    Set<String> once = new HashSet<>();
    SimulatedWorkers run =
        Jobs.workers(plan, QuadraticModel.quiet(1), 10)
            .afterEach((workers, event) -> {
              if (event instanceof SessionEvent.CheckpointWritten && once.add("asked")) {
                workers.ask(new UserRequest.Pin(1, true));
                workers.ask(new UserRequest.Pin(99, true));
              }
            })
            .run();

    List<Long> dropped =
        run.commands().stream()
            .filter(BranchCommand.DropCheckpoint.class::isInstance)
            .map(command -> ((BranchCommand.DropCheckpoint) command).checkpoint())
            .toList();
    assertThat(dropped).isNotEmpty().doesNotContain(1L);
    assertThat(run.effects(SessionEffect.SnapshotChanged.class))
        .filteredOn(SessionEffect.SnapshotChanged::pinned)
        .singleElement()
        .satisfies(kept -> {
          assertThat(kept.state()).isEqualTo(SnapshotState.READY);
          assertThat(kept.sizeBytes()).isPositive();
        });
    assertThat(run.decision("request-2").outcome())
        .isEqualTo(
            "The request to pin snapshot 99 is ignored: snapshot 99 is not there; there are [1]");
  }

  @Test
  void anOldSnapshotThatIsUnpinnedGoesAtOnceAndNothingIsRefused() {
    JobPlan plan = Jobs.fixed(Jobs.setting(0.1), 8);
    var written = new ArrayList<Long>();
    SimulatedWorkers run =
        Jobs.workers(plan, QuadraticModel.quiet(1), 10)
            .afterEach((workers, event) -> {
              if (event instanceof SessionEvent.CheckpointWritten one) {
                written.add(one.checkpoint());
                if (written.size() == 1) {
                  workers.ask(new UserRequest.Pin(1, true));
                } else if (written.size() == 6) {
                  workers.ask(new UserRequest.Pin(1, false));
                }
              }
            })
            .run();

    assertThat(run.commands()).contains(new BranchCommand.DropCheckpoint(1));
    assertThat(run.decision("request-2").outcome()).doesNotContain("ignored");
  }

  private static SimulatedWorkers askedOfTrial(
      JobPlan plan, int trial, Function<BranchId, UserRequest> request) {
    Set<String> once = new HashSet<>();
    return Jobs.workers(plan, QuadraticModel.quiet(4), 3)
        .afterEach((workers, event) -> {
          // The root, the probe, then the trials.
          if (event instanceof SessionEvent.Progressed progressed
              && progressed.branch().number() == trial + 1
              && once.add("asked")) {
            workers.ask(request.apply(progressed.branch()));
          }
        });
  }

  @Test
  void requestsThatDoNotFitAreRefusedInWords() {
    assertThat(refusal(plan(1), 8, new UserRequest.Retune()))
        .isEqualTo("The request to re-tune is ignored: the job is not training but TUNING");
    assertThat(refusal(plan(1), 8, new UserRequest.Resume()))
        .isEqualTo("The request to resume is ignored: the job is not paused");
    assertThat(refusal(Jobs.fixed(Jobs.setting(0.1), 3), 8, new UserRequest.Retune()))
        .isEqualTo("The request to re-tune is ignored: the policy fixed does not tune this job");
    SimulatedWorkers run = askedInTraining(new UserRequest.Try(Jobs.setting(77)));
    assertThat(run.decision("request-1").outcome())
        .isEqualTo(
            "The request to try learningRate 77 is ignored: learningRate must be in [1.0E-5, 10.0]"
                + " but is 77.0");
  }

  @Test
  void aProgramThatFailsEndsTheJobWithItsMessage() {
    TuningSession session = Policies.open(plan(1));
    session.start();
    session.step(new SessionEvent.WorkersReady(1, 1, 2, Jobs.SAMPLES, 32));
    List<SessionEffect> effects =
        session.step(
            new SessionEvent.ProgramFailed(2, "INVALID_DATA", "train.idx: line 3: cut off"));

    assertThat(effects)
        .contains(
            new SessionEffect.Command(new BranchCommand.Stop()),
            new SessionEffect.JobChanged(
                JobState.FAILED, "INVALID_DATA", "train.idx: line 3: cut off", ""));
    assertThat(session.isEnded()).isTrue();
    assertThat(session.step(new SessionEvent.WorkersLost(3, 1, "late"))).isEmpty();
  }

  private static JobPlan plan(long seed) {
    return Jobs.tuned(seed, Jobs.OPTIONS, EPOCHS);
  }

  /// Losses, failing checkpoints and requests at random.
  private static SimulatedWorkers disturbed(JobPlan plan, long seed) {
    var random = new SplittableRandom(seed);
    return Jobs.workers(plan, QuadraticModel.quiet(seed), 1 + random.nextInt(40))
        .failCheckpoints(checkpoint -> checkpoint % 3 == seed % 3)
        .afterEach((workers, _) -> {
          switch (random.nextInt(150)) {
            case 0 -> workers.lose();
            case 1 -> {
              workers.ask(new UserRequest.Pause());
              workers.ask(new UserRequest.Resume());
            }
            case 2 -> workers.ask(new UserRequest.Retune());
            case 3 -> workers.ask(new UserRequest.Try(Jobs.setting(0.3)));
            default -> {}
          }
        });
  }

  private static void loseOnce(SimulatedWorkers workers, int afterEvents) {
    if (workers.events().size() == afterEvents) {
      workers.lose();
    }
  }

  private static SimulatedWorkers asked(JobPlan plan, int afterEvents, UserRequest request) {
    return Jobs.workers(plan, QuadraticModel.quiet(2))
        .afterEach((workers, _) -> {
          if (workers.events().size() == afterEvents) {
            workers.ask(request);
          }
        });
  }

  private static SimulatedWorkers askedInTraining(UserRequest request) {
    Set<String> once = new HashSet<>();
    return Jobs.workers(plan(4), QuadraticModel.quiet(4))
        .afterEach((workers, event) -> {
          if (event instanceof SessionEvent.Evaluated && once.add("asked")) {
            workers.ask(request);
          }
        })
        .run();
  }

  private static String refusal(JobPlan plan, int afterEvents, UserRequest request) {
    SimulatedWorkers run = asked(plan, afterEvents, request).run();
    Decision decision = run.decision("request-1");
    assertThat(decision.rule()).isEqualTo("request.ignored");
    return decision.outcome();
  }

  private static List<Object> adopted(SimulatedWorkers run) {
    return run.decisions().stream()
        .filter(decision -> decision.key().endsWith("/adopt"))
        .map(decision -> decision.evidence().get("setting"))
        .toList();
  }

  private static List<List<String>> keysAndOutcomes(List<Decision> decisions) {
    return decisions.stream().map(decision -> List.of(decision.key(), decision.outcome())).toList();
  }

  /// Checkpoint events and drop commands in the order in which they came to pass.
  private static List<Object> inOrder(SimulatedWorkers run) {
    TuningSession again = Policies.open(Jobs.fixed(Jobs.setting(0.1), 12));
    var order = new ArrayList<Object>();
    again.start();
    for (SessionEvent event : run.events()) {
      order.add(event);
      for (SessionEffect effect : again.step(event)) {
        if (effect instanceof SessionEffect.Command(BranchCommand.DropCheckpoint drop)) {
          order.add(drop);
        }
      }
    }
    return order;
  }
}
