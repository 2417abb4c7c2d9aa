package dev.espalier.tuner.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.TimeModel;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ReportAssemblerTest {
  private static final BranchId BRANCH = new BranchId(1);
  private static final TimeModel MODEL = new TimeModel(0.5, 0.01);
  private final JobClock clock = new JobClock(true, () -> 0);
  private final ReportAssembler assembler = assembler(2);

  private static ReportAssembler assembler(int workers) {
    return new ReportAssembler(
        1,
        workers,
        Optional.of(MODEL),
        List.of(
            new MetricSpec("accuracy", Goal.MAXIMIZE, MetricSpec.Aggregate.MEAN),
            new MetricSpec("rmse", Goal.MINIMIZE, MetricSpec.Aggregate.ROOT_MEAN_SQUARE)));
  }

  private static WorkerReport.Progressed clocks(long from, double loss, int count) {
    return new WorkerReport.Progressed(
        BRANCH,
        from,
        Collections.nCopies(count, loss),
        Collections.nCopies(count, 10L),
        Collections.nCopies(count, 1.0));
  }

  @Test
  void clockIsFinalWhenTheLastWorkerHasReportedIt() {
    assembler.add(0, 1, clocks(0, 20, 3), 0);

    assertThat(assembler.drain(clock)).isEmpty();
    assembler.add(1, 1, clocks(0, 40, 2), 0);

    assertThat(assembler.drain(clock))
        .containsExactly(
            new SessionEvent.Progressed(1.2, BRANCH, 0, List.of(3.0, 3.0), List.of(0.6, 0.6)));
    assertThat(assembler.consumed()).containsExactly(0, 1);
  }

  /// One is slow in the first clock and the other in the second; with staleness both took 4 s.
  @Test
  void workersThatDriftApartTakeAsLongAsTheSlowestInAll() {
    var measured = new ReportAssembler(1, 2, Optional.empty(), List.of());
    measured.add(0, 1, measured(3, 1), 0);
    measured.add(1, 1, measured(1, 3), 0);

    assertThat(measured.drain(new JobClock(false, () -> 0)))
        .containsExactly(
            new SessionEvent.Progressed(0, BRANCH, 0, List.of(2.0, 2.0), List.of(2.0, 2.0)));
  }

  /// How many clocks come at a time depends on the machine, and decisions must not.
  @Test
  void aClockOfWorkersThatAreEquallySlowTakesTheSameHoweverManyComeAtOnce() {
    for (int count = 1; count <= 200; count++) {
      var measured = new ReportAssembler(1, 2, Optional.empty(), List.of());
      for (int worker = 0; worker < 2; worker++) {
        measured.add(
            worker,
            1,
            new WorkerReport.Progressed(
                BRANCH,
                0,
                Collections.nCopies(count, 20.0),
                Collections.nCopies(count, 10L),
                Collections.nCopies(count, 0.001096)),
            0);
      }

      var progressed =
          (SessionEvent.Progressed) measured.drain(new JobClock(false, () -> 0)).getFirst();
      assertThat(progressed.seconds()).hasSize(count).containsOnly(0.001096);
    }
  }

  private static WorkerReport.Progressed measured(double first, double second) {
    return new WorkerReport.Progressed(
        BRANCH, 0, List.of(20.0, 20.0), List.of(10L, 10L), List.of(first, second));
  }

  @Test
  void reportIsConsumedWhenAllItsClocksAre() {
    assembler.add(0, 1, clocks(0, 20, 3), 0);
    assembler.add(1, 1, clocks(0, 40, 2), 0);
    assembler.add(1, 2, clocks(2, 40, 1), 0);
    assembler.drain(clock);

    assertThat(assembler.consumed()).containsExactly(1, 2);
  }

  @Test
  void repeatsMakeNoSecondEvent() {
    assembler.add(0, 1, clocks(0, 20, 1), 0);
    assembler.add(0, 1, clocks(0, 20, 1), 0);
    assembler.add(1, 1, clocks(0, 20, 1), 0);

    assertThat(assembler.drain(clock)).hasSize(1);
    assertThat(assembler.drain(clock)).isEmpty();
  }

  @Test
  void whatOneWorkerSendsAgainAfterARestartIsDroppedWhenItIsLogged() {
    assembler.logged(
        new SessionEvent.Progressed(5, BRANCH, 0, List.of(1.0, 1.0), List.of(1.0, 1.0)));

    assembler.add(0, 7, clocks(0, 20, 3), 0);
    assembler.add(1, 9, clocks(2, 20, 1), 0);

    assertThat(assembler.drain(clock))
        .singleElement()
        .satisfies(event -> assertThat(((SessionEvent.Progressed) event).fromClock()).isEqualTo(2));
    assertThat(assembler.consumed()).containsExactly(7, 9);
  }

  @Test
  void evaluationIsWeightedBySamples() {
    assembler.expectEvaluation(4, BRANCH);
    assembler.add(
        0, 1, new WorkerReport.Evaluated(4, Map.of("accuracy", 1.0, "rmse", 3.0), 10, 1), 0);
    assembler.add(
        1, 1, new WorkerReport.Evaluated(4, Map.of("accuracy", 0.0, "rmse", 4.0), 30, 1), 0);

    var evaluated = (SessionEvent.Evaluated) assembler.drain(clock).getFirst();

    assertThat(evaluated.metrics().get("accuracy")).isEqualTo(0.25);
    assertThat(evaluated.metrics().get("rmse")).isEqualTo(Math.sqrt((90 + 480) / 40.0));
    assertThat(evaluated.loss()).as("beside the accuracy").isCloseTo(570 / 40.0, within(1e-9));
    assertThat(evaluated.branch()).isEqualTo(BRANCH);
  }

  @Test
  void metricOfOtherSamplesIsWeightedByThose() {
    assembler.expectEvaluation(4, BRANCH);
    assembler.add(
        0,
        1,
        new WorkerReport.Evaluated(
            4,
            Map.of("accuracy", 1.0, "rmse", 3.0),
            10,
            1,
            List.of(),
            Map.of("accuracy", 1L, "rmse", 0L),
            List.of()),
        0);
    assembler.add(
        1,
        1,
        new WorkerReport.Evaluated(
            4,
            Map.of("accuracy", 0.0, "rmse", 4.0),
            0,
            1,
            List.of(),
            Map.of("accuracy", 3L),
            List.of()),
        0);

    var evaluated = (SessionEvent.Evaluated) assembler.drain(clock).getFirst();

    assertThat(evaluated.metrics()).isEqualTo(Map.of("accuracy", 0.25));
    assertThat(evaluated.loss()).as("of other samples tells nothing").isNaN();
  }

  @Test
  void blocksOfAProbeComeInTheirOrder() {
    assembler.expectEvaluation(4, BRANCH);
    assembler.add(0, 1, probed(List.of(0.0, 2.0), List.of(-1.0, -3.0)), 0);
    assembler.add(1, 1, probed(List.of(1.0), List.of(-2.0)), 0);

    var probed = (SessionEvent.Evaluated) assembler.drain(clock).getFirst();

    assertThat(probed.losses()).containsExactly(0.0, 1.0, 2.0);
    assertThat(probed.scores()).containsExactly(-1.0, -2.0, -3.0);
  }

  private static WorkerReport.Evaluated probed(List<Double> losses, List<Double> scores) {
    return new WorkerReport.Evaluated(4, Map.of(), 16, 1, losses, Map.of(), scores);
  }

  @Test
  void evaluationThatIsLoggedMakesNoSecondEvent() {
    assembler.expectEvaluation(4, BRANCH);
    assembler.logged(new SessionEvent.Evaluated(1, 4, BRANCH, Map.of(), 0));
    assembler.add(0, 1, new WorkerReport.Evaluated(4, Map.of("accuracy", 1.0), 1, 1), 0);
    assembler.add(1, 1, new WorkerReport.Evaluated(4, Map.of("accuracy", 1.0), 1, 1), 0);

    assertThat(assembler.drain(clock)).isEmpty();
    assertThat(assembler.consumed()).containsExactly(1, 1);
  }

  @Test
  void branchesKeepTheirOrderAndRunsOfClocksAreOneEvent() {
    var other = new BranchId(2);
    for (int worker = 0; worker < 2; worker++) {
      assembler.add(worker, 1, clocks(0, 10, 2), 0);
      assembler.add(
          worker,
          2,
          new WorkerReport.Progressed(other, 0, List.of(10.0), List.of(10L), List.of(1.0)),
          0);
      assembler.add(worker, 3, clocks(2, 10, 1), 0);
    }

    assertThat(assembler.drain(clock))
        .extracting(event -> ((SessionEvent.Progressed) event).branch())
        .containsExactly(BRANCH, other, BRANCH);
  }

  @Test
  void workersThatOpenOtherDataFailTheJob() {
    assembler.add(1, 1, new WorkerReport.Ready(150, 8, 16), 2);

    assertThat(assembler.add(0, 1, new WorkerReport.Ready(100, 8), 3))
        .contains(
            new SessionEvent.ProgramFailed(
                3,
                "INVALID_DATA",
                "workers must have the same data, but worker 0 opens 100 training and 0 probe"
                    + " samples, 8 a clock and worker 1 150 training and 16 probe samples, 8 a"
                    + " clock"));
    assertThat(assembler.consumed()).containsExactly(1, 1);
  }

  /// It opened other data, and was started again with the right ones.
  @Test
  void whoHasLeftBeforeAllWereReadyHasSaidNothing() {
    var right = new WorkerReport.Ready(200, 8);
    assembler.add(0, 1, new WorkerReport.Ready(100, 8), 1);
    assembler.left(0);
    assembler.add(0, 1, right, 2);

    assertThat(assembler.add(1, 1, right, 3))
        .contains(new SessionEvent.WorkersReady(3, 1, 2, 200, 8));
    assertThat(assembler.consumed()).containsExactly(1, 1);
  }

  @Test
  void whoLeavesWhenAllAreReadyHasBeenHeard() {
    assembler.add(0, 1, new WorkerReport.Ready(100, 8), 1);
    assembler.add(1, 1, new WorkerReport.Ready(100, 8), 1);
    assembler.add(0, 2, clocks(0, 20, 1), 2);
    assembler.left(0);
    assembler.add(1, 2, clocks(0, 20, 1), 2);

    assertThat(assembler.drain(clock)).hasSize(1);
    assertThat(assembler.consumed()).containsExactly(2, 2);
  }

  @Test
  void workersAreReadyOnceAllAre() {
    assertThat(assembler.add(1, 1, new WorkerReport.Ready(100, 8), 2)).isEmpty();

    assertThat(assembler.add(0, 1, new WorkerReport.Ready(100, 8), 3))
        .contains(new SessionEvent.WorkersReady(3, 1, 2, 100, 8));
    assertThat(assembler.add(0, 2, new WorkerReport.Ready(100, 8), 4)).isEmpty();
  }

  @Test
  void checkpointIsDurableWhenAllShardsAre() {
    assembler.expectCheckpoint(2, BRANCH);
    assertThat(assembler.add(0, 1, new WorkerReport.CheckpointWritten(2, 10), 1)).isEmpty();

    assertThat(assembler.add(1, 1, new WorkerReport.CheckpointWritten(2, 5), 2))
        .contains(new SessionEvent.CheckpointWritten(2, 2, BRANCH, 15));
  }

  @Test
  void partsAreNotConsumedBeforeTheWholeIs() {
    assembler.expectCheckpoint(2, BRANCH);
    assembler.add(0, 1, new WorkerReport.Ready(100, 8), 1);
    assertThat(assembler.consumed()).containsExactly(0, 0);

    assembler.add(1, 1, new WorkerReport.Ready(100, 8), 1);
    assertThat(assembler.consumed()).containsExactly(1, 1);
    assembler.add(1, 2, new WorkerReport.CheckpointWritten(2, 10), 1);
    assertThat(assembler.consumed()).containsExactly(0, 0);
    assembler.add(0, 2, new WorkerReport.CheckpointWritten(2, 10), 1);
    assertThat(assembler.consumed()).containsExactly(2, 2);
  }

  @Test
  void checkpointFailsWhenOneShardDoes() {
    assembler.expectCheckpoint(2, BRANCH);
    assembler.add(0, 1, new WorkerReport.CheckpointFailed(2, "disk full"), 1);

    assertThat(assembler.add(1, 1, new WorkerReport.CheckpointWritten(2, 5), 2))
        .contains(new SessionEvent.CheckpointFailed(2, 2, BRANCH, "disk full"));
  }

  @Test
  void failureIsAnEventAtOnce() {
    assertThat(assembler.add(1, 1, new WorkerReport.Failed(ErrorCode.INVALID_DATA, "b\0d\n"), 2))
        .contains(new SessionEvent.ProgramFailed(2, "INVALID_DATA", "b\ufffdd\n"));
  }

  @Test
  void lossWithoutSamplesIsNotANumber() {
    var empty = new WorkerReport.Progressed(BRANCH, 0, List.of(0.0), List.of(0L), List.of(1.0));
    assembler.add(0, 1, empty, 0);
    assembler.add(1, 1, empty, 0);

    var progressed = (SessionEvent.Progressed) assembler.drain(clock).getFirst();

    assertThat(progressed.losses()).containsExactly(Double.NaN);
  }
}
