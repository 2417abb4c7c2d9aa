package dev.espalier.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.programs.nn.MultilayerPerceptron;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TrainingProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Workers and a tuner that goes away: nothing is lost, nothing is doubled, and what cannot go on
/// ends with an error.
@Timeout(180)
class ReconnectTest {
  private static final BranchId ROOT = BranchId.ROOT;
  private static final BranchId TRIAL = new BranchId(1);
  private static final Setting SETTING = Setting.of(Map.of(Tunable.LEARNING_RATE, 0.05));
  private static final int CLOCKS = 300;

  @TempDir private Path checkpoints;

  @Test
  void brokenLinkLosesAndDoublesNothing() throws Exception {
    try (var tuner = new ScriptedTuner(2, checkpoints);
        var threads = WorkerThreads.attach(tuner, () -> new ExactProgram(2))) {
      tuner.acknowledgeNothing();
      tuner.cutAt(WorkerReport.Progressed.class::isInstance);
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      tuner.say(new BranchCommand.Schedule(ROOT, CLOCKS, CLOCKS));
      tuner.await("two links again", () -> attachments(tuner) >= 4);
      tuner.say(new BranchCommand.Evaluate(ROOT, 1));
      tuner.awaitEvaluation(1);

      assertThat(tuner.unheard()).as("reports lost on the way").isPositive();
      for (int worker = 0; worker < 2; worker++) {
        assertThat(tuner.attachedWith(worker)).containsExactly(0L, 2L);
        assertThat(tuner.losses(worker, ROOT)).hasSize(CLOCKS);
        assertThat(tuner.reports(worker))
            .filteredOn(WorkerReport.Ready.class::isInstance)
            .hasSize(1);
        assertThat(tuner.repeats(worker)).as("reports sent again").isPositive();
      }
      tuner.acknowledge();
      tuner.say(new BranchCommand.Stop());
      threads.awaitEnd();
    }
  }

  @Test
  void tunerThatWasAwayIsFoundAgain() throws Exception {
    try (var tuner = new ScriptedTuner(2, checkpoints);
        var threads = WorkerThreads.attach(tuner, () -> new ExactProgram(0))) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      tuner.say(new BranchCommand.Schedule(ROOT, 20, 20));
      tuner.say(new BranchCommand.Evaluate(ROOT, 1));
      tuner.awaitEvaluation(1);

      tuner.leave();
      tuner.say(new BranchCommand.Fork(TRIAL, ROOT, BranchKind.TRIAL, SETTING));
      tuner.say(new BranchCommand.Schedule(TRIAL, 20, 20));
      Thread.sleep(3_500);
      tuner.comeBack();
      tuner.say(new BranchCommand.Evaluate(TRIAL, 2));
      tuner.awaitEvaluation(2);

      for (int worker = 0; worker < 2; worker++) {
        assertThat(tuner.attachedWith(worker)).containsExactly(0L, 3L);
        assertThat(tuner.losses(worker, TRIAL)).hasSize(20);
      }
      tuner.say(new BranchCommand.Stop());
      threads.awaitEnd();
    }
  }

  @Test
  void refusedTokenIsAnError() throws Exception {
    try (var tuner = new ScriptedTuner(1, checkpoints)) {
      tuner.refuse("UNAUTHENTICATED");

      assertThatThrownBy(() -> attach(tuner, new ExactProgram(0)))
          .isInstanceOfSatisfying(
              EspalierException.class,
              failure -> assertThat(failure.code()).isEqualTo(ErrorCode.UNAUTHENTICATED))
          .hasMessageContaining(ScriptedTuner.JOB);
    }
  }

  @Test
  void workersOfANewGenerationAskForTheNumbersTheyHad() throws Exception {
    try (var tuner = new ScriptedTuner(2, checkpoints);
        var threads = WorkerThreads.attach(tuner, () -> new ExactProgram(0))) {
      tuner.await("two links", () -> attachments(tuner) >= 2);
      assertThat(tuner.wishes()).containsExactly(-1, -1);

      tuner.startNextGeneration();

      tuner.await("two links again", () -> attachments(tuner) >= 2);
      assertThat(tuner.wishes().subList(2, 4)).containsExactlyInAnyOrder(0, 1);
      tuner.say(new BranchCommand.Stop());
      threads.awaitEnd();
    }
  }

  @Test
  void workerThatWaitsForOneThatIsGoneTakesPartInTheNextGeneration() throws Exception {
    var isAway = new CountDownLatch(1);
    var comesBack = new CountDownLatch(1);
    try (var tuner = new ScriptedTuner(2, checkpoints);
        var threads = WorkerThreads.attach(tuner, () -> new AbsentProgram(isAway, comesBack))) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      tuner.say(new BranchCommand.Schedule(ROOT, 20, 20));
      assertThat(isAway.await(60, TimeUnit.SECONDS)).isTrue();

      tuner.startNextGeneration();

      // Worker 1 is still in its clock, and worker 0 would wait for it.
      tuner.await("the other worker", () -> tuner.wishes().size() == 3);
      assertThat(tuner.wishes().getLast()).isZero();
      comesBack.countDown();
      tuner.await("two links again", () -> attachments(tuner) >= 2);
      assertThat(tuner.reports(0)).noneMatch(WorkerReport.Failed.class::isInstance);
      assertThat(tuner.reports(1)).noneMatch(WorkerReport.Failed.class::isInstance);
      tuner.say(new BranchCommand.Stop());
      threads.awaitEnd();
    }
  }

  @Test
  void workerThatLacksItsPartOfACheckpointSaysSoAndTakesPartAgain() throws Exception {
    try (var tuner = new ScriptedTuner(1, checkpoints);
        var threads = WorkerThreads.attach(tuner, () -> new ExactProgram(0))) {
      tuner.say(new BranchCommand.Restore(ROOT, 7, SETTING));
      Awaitility.await()
          .until(() ->
              tuner.reports(0).stream()
                  .anyMatch(report ->
                      report instanceof WorkerReport.Failed(ErrorCode code, String message)
                          && code == ErrorCode.CHECKPOINT_MISSING
                          && message.contains("worker 0 has no checkpoint 7")));

      tuner.startNextGeneration();
      tuner.await("a link again", () -> !tuner.attachedWith(0).isEmpty());

      tuner.say(new BranchCommand.Stop());
      threads.awaitEnd();
    }
  }

  /// Too many open files, say: the one that a symbolic link to itself stands for here.
  @ParameterizedTest
  @ValueSource(strings = {"place-0.bin", "shard-0.ckpt"})
  void checkpointThatCannotBeOpenedIsNotSaidToBeDamaged(String name) throws Exception {
    try (var tuner = new ScriptedTuner(1, checkpoints);
        var threads = WorkerThreads.attach(tuner, () -> new ExactProgram(0))) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      tuner.say(new BranchCommand.Checkpoint(ROOT, 7));
      tuner.awaitCheckpoint(7);
      Path file = checkpoints.resolve("7").resolve(name);
      Path kept = Files.move(file, checkpoints.resolve("kept"));
      Files.createSymbolicLink(file, file);
      restoreInANewGeneration(tuner);
      Awaitility.await()
          .until(() ->
              failures(tuner).stream()
                  .anyMatch(failed ->
                      failed.code() == ErrorCode.CHECKPOINT_UNREADABLE
                          && failed.message().contains(name)));

      Files.move(kept, file, StandardCopyOption.REPLACE_EXISTING);
      restoreInANewGeneration(tuner);
      tuner.awaitEvaluation(1);

      tuner.say(new BranchCommand.Stop());
      threads.awaitEnd();
    }
  }

  private static void restoreInANewGeneration(ScriptedTuner tuner) throws InterruptedException {
    tuner.startNextGeneration();
    tuner.await("a link again", () -> !tuner.attachedWith(0).isEmpty());
    tuner.say(new BranchCommand.Restore(ROOT, 7, SETTING));
    tuner.say(new BranchCommand.Evaluate(ROOT, 1));
  }

  private static List<WorkerReport.Failed> failures(ScriptedTuner tuner) {
    return tuner.reports(0).stream()
        .filter(WorkerReport.Failed.class::isInstance)
        .map(WorkerReport.Failed.class::cast)
        .toList();
  }

  @Test
  void workerWithoutATunerEndsAndAccusesNobody() throws Exception {
    try (var tuner = new ScriptedTuner(1, checkpoints);
        ExecutorService thread = Executors.newSingleThreadExecutor()) {
      var config =
          WorkerConfig.attached(
              tuner.address(),
              ScriptedTuner.JOB,
              "token",
              Map.of("ESPALIER_WORKER_MAX_ALONE", "PT1S"));
      Future<Worker.Outcome> life =
          thread.submit(() -> Worker.run(config, _ -> new ExactProgram(0)));
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      tuner.say(new BranchCommand.Evaluate(ROOT, 1));
      tuner.awaitEvaluation(1);

      tuner.leave();

      assertThat(life.get(20, TimeUnit.SECONDS))
          .isInstanceOfSatisfying(
              Worker.Outcome.Failed.class,
              failed -> assertThat(failed.code()).isEqualTo(ErrorCode.WORKERS_LOST));
      tuner.comeBack();
      assertThat(tuner.reports(0)).noneMatch(WorkerReport.Failed.class::isInstance);
    }
  }

  @Test
  void failedProgramIsAnError() throws Exception {
    try (var tuner = new ScriptedTuner(1, checkpoints)) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      tuner.say(new BranchCommand.Schedule(ROOT, 20, 20));

      var failing =
          new InClockThree(() -> {
            throw new IllegalStateException("clock 3 is too hard");
          });
      assertThatThrownBy(() -> attach(tuner, failing))
          .isInstanceOfSatisfying(
              EspalierException.class,
              failure -> assertThat(failure.code()).isEqualTo(ErrorCode.PROGRAM_FAILED))
          .hasMessageContaining("clock 3 is too hard");
      assertThat(tuner.reports(0))
          .filteredOn(WorkerReport.Failed.class::isInstance)
          .extracting(report -> ((WorkerReport.Failed) report).code())
          .isEqualTo(List.of(ErrorCode.PROGRAM_FAILED));
    }
  }

  /// Its clocks may wait for others in any way, and make anything of what comes of that.
  @Test
  void whoseProgramWrapsThatAnotherWorkerIsGoneTakesPartAgain() throws Exception {
    var failed = new CountDownLatch(1);
    var program =
        new InClockThree(() -> {
          failed.countDown();
          var lost = new PsException(PsFault.LINK_LOST, "the shard of worker 1 cannot be reached");
          throw new IllegalStateException("clock 3", lost);
        });
    try (var tuner = new ScriptedTuner(1, checkpoints);
        var threads = WorkerThreads.attach(tuner, () -> program)) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      tuner.say(new BranchCommand.Schedule(ROOT, 20, 20));
      assertThat(failed.await(60, TimeUnit.SECONDS)).isTrue();
      // What it has to say it says at once.
      Thread.sleep(500);
      assertThat(failures(tuner)).isEmpty();

      tuner.startNextGeneration();
      tuner.await("a link again", () -> !tuner.attachedWith(0).isEmpty());

      tuner.say(new BranchCommand.Stop());
      threads.awaitEnd();
    }
  }

  @Test
  void failureIsToldBeforeTheProgramIsClosed() throws Exception {
    var mayClose = new CountDownLatch(1);
    var program =
        new InClockThree(
            () -> {
              throw new IllegalStateException("bad sample at row 17");
            }) {
          @Override
          public void close() {
            try {
              mayClose.await();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          }
        };
    try (var tuner = new ScriptedTuner(1, checkpoints);
        var threads = WorkerThreads.attach(tuner, () -> program)) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      tuner.say(new BranchCommand.Schedule(ROOT, 20, 20));

      Awaitility.await().until(() -> !failures(tuner).isEmpty());
      mayClose.countDown();

      assertThatThrownBy(threads::awaitEnd)
          .hasMessageContaining("IllegalStateException: bad sample at row 17");
    }
  }

  @Test
  void whatATaskOfTheProgramFoundIsToldAsIfItsOwnThreadHad() throws Exception {
    try (var tuner = new ScriptedTuner(1, checkpoints)) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      tuner.say(new BranchCommand.Schedule(ROOT, 20, 20));

      assertThatThrownBy(() ->
              attach(
                  tuner,
                  new InClockThree(() ->
                      CompletableFuture.runAsync(
                              () -> {
                                throw new EspalierException(
                                    ErrorCode.INVALID_DATA, "a.csv:7: not a number");
                              })
                          .join())))
          .isInstanceOfSatisfying(
              EspalierException.class,
              failure -> assertThat(failure.code()).isEqualTo(ErrorCode.INVALID_DATA))
          .hasMessage("a.csv:7: not a number");
    }
  }

  /// Other languages of the JVM declare nothing, and an error of input or output in a program has
  /// nothing to do with the port of a shard.
  @Test
  void checkedExceptionThatNobodyDeclaredIsAnErrorOfTheProgram() throws Exception {
    try (var tuner = new ScriptedTuner(1, checkpoints)) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      tuner.say(new BranchCommand.Schedule(ROOT, 20, 20));

      assertThatThrownBy(() -> attach(tuner, new UndeclaredFailure()))
          .isInstanceOfSatisfying(
              EspalierException.class,
              failure -> assertThat(failure.code()).isEqualTo(ErrorCode.PROGRAM_FAILED))
          .hasMessageContaining("IOException: disk full");
    }
  }

  @Test
  void metricThatIsNotDescribedIsAnError() throws Exception {
    try (var tuner = new ScriptedTuner(1, checkpoints)) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      tuner.say(new BranchCommand.Evaluate(ROOT, 1));

      assertThatThrownBy(() -> attach(tuner, new Misspelt()))
          .isInstanceOfSatisfying(
              EspalierException.class,
              failure -> assertThat(failure.code()).isEqualTo(ErrorCode.PROGRAM_FAILED))
          .hasMessageContaining(
              "program exact measured [losss] in evaluate, but its descriptor lists [loss, weights]");
    }
  }

  @Test
  void jobForAnotherProgramIsNotTrained() throws Exception {
    try (var tuner = new ScriptedTuner(1, checkpoints)) {
      assertThatThrownBy(() -> attach(tuner, new MultilayerPerceptron()))
          .isInstanceOfSatisfying(
              EspalierException.class,
              failure -> assertThat(failure.code()).isEqualTo(ErrorCode.INVALID_JOB))
          .hasMessageContaining("the job is for program exact but mlp was attached to it");
    }
  }

  private static final class Misspelt extends ExactProgram {
    Misspelt() {
      super(0);
    }

    @Override
    public Evaluation evaluate(ProgramContext context) {
      return Evaluation.mean("losss", 1, 1);
    }
  }

  private static void attach(ScriptedTuner tuner, TrainingProgram program)
      throws InterruptedException {
    Espalier.attach(tuner.address(), ScriptedTuner.JOB, "token", program);
  }

  /// Worker 1 ends its clock 5 only when it may.
  private static final class AbsentProgram extends ExactProgram {
    private final CountDownLatch isAway;
    private final CountDownLatch comesBack;

    private AbsentProgram(CountDownLatch isAway, CountDownLatch comesBack) {
      super(0);
      this.isAway = isAway;
      this.comesBack = comesBack;
    }

    @Override
    public Progress clock(ProgramContext context) {
      if (context.worker() == 1 && context.clock() == 5) {
        isAway.countDown();
        try {
          comesBack.await();
        } catch (InterruptedException e) {
          throw new IllegalStateException("interrupted", e);
        }
      }
      return super.clock(context);
    }
  }

  /// Does something in clock 3 before it trains.
  private static class InClockThree extends ExactProgram {
    private final Runnable what;

    private InClockThree(Runnable what) {
      super(0);
      this.what = what;
    }

    @Override
    public Progress clock(ProgramContext context) {
      if (context.clock() == 3) {
        what.run();
      }
      return super.clock(context);
    }
  }

  private static final class UndeclaredFailure extends ExactProgram {
    private UndeclaredFailure() {
      super(0);
    }

    @Override
    public Progress clock(ProgramContext context) {
      throw UndeclaredFailure.<RuntimeException>undeclared(new IOException("disk full"));
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <E extends Exception> E undeclared(Exception failure) throws E {
      throw (E) failure;
    }
  }

  private static int attachments(ScriptedTuner tuner) {
    return tuner.attachedWith(0).size() + tuner.attachedWith(1).size();
  }
}
