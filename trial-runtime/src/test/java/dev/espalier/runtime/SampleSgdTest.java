package dev.espalier.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.ProbeSource;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.programs.LocalTraining;
import dev.espalier.programs.TestData;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Programs that step after each sample, on the branch's own pages: as exact as any other.
class SampleSgdTest {
  private static final Map<String, String> SAMPLE_SGD = Map.of("optimizer", "sample-sgd");
  private static final BranchId ROOT = BranchId.ROOT;
  private static final BranchId CHILD = new BranchId(1);
  private static final BranchId FASTER = new BranchId(2);
  private static final Setting SETTING =
      Setting.of(Map.of(Tunable.LEARNING_RATE, 0.02, Tunable.BATCH_SIZE, 1000.0));

  @TempDir private Path checkpoints;

  private LocalWorker open(String program, Map<String, String> arguments) {
    return new LocalWorker(
        program,
        arguments,
        Optional.empty(),
        new HeldOut(64, 0.1, ProbeSource.HELD_OUT),
        checkpoints);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mf", "logreg"})
  void forkGoesOnAsItsParentDoes(String program) throws Exception {
    try (var worker = open(program, SAMPLE_SGD)) {
      worker.say(new BranchCommand.Create(ROOT, SETTING));
      worker.say(new BranchCommand.Schedule(ROOT, 7, 7));
      worker.say(new BranchCommand.Fork(CHILD, ROOT, BranchKind.TRIAL, SETTING));
      worker.say(
          new BranchCommand.Fork(
              FASTER, ROOT, BranchKind.TRIAL, SETTING.with(Tunable.LEARNING_RATE, 0.04)));
      worker.say(new BranchCommand.Schedule(FASTER, 5, 5));
      worker.say(new BranchCommand.Probe(FASTER, 1, 64));
      worker.say(new BranchCommand.Schedule(ROOT, 17, 17));
      worker.say(new BranchCommand.Evaluate(FASTER, 2));
      worker.say(new BranchCommand.Schedule(CHILD, 10, 10));
      worker.say(new BranchCommand.Evaluate(ROOT, 3));
      worker.say(new BranchCommand.Evaluate(CHILD, 4));

      List<Double> root = worker.losses(ROOT);
      assertThat(root).hasSize(17).allMatch(Double::isFinite).doesNotHaveDuplicates();
      assertThat(worker.losses(CHILD)).isEqualTo(root.subList(7, 17));
      assertThat(worker.evaluation(4)).isEqualTo(worker.evaluation(3));
      assertThat(worker.evaluation(2)).isNotEqualTo(worker.evaluation(3));
      assertThat(worker.losses(FASTER)).doesNotContainAnyElementsOf(root.subList(7, 17));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"mf", "logreg"})
  void aCheckpointIsTheBranchAsItWas(String program) throws Exception {
    try (var worker = open(program, SAMPLE_SGD)) {
      worker.say(new BranchCommand.Create(ROOT, SETTING));
      worker.say(new BranchCommand.Schedule(ROOT, 4, 4));
      worker.say(new BranchCommand.Checkpoint(ROOT, 1));
      worker.say(new BranchCommand.Schedule(ROOT, 9, 9));
      worker.say(new BranchCommand.Evaluate(ROOT, 1));
      worker.say(new BranchCommand.Restore(CHILD, 1, SETTING));
      worker.say(new BranchCommand.Schedule(CHILD, 5, 5));
      worker.say(new BranchCommand.Evaluate(CHILD, 2));

      assertThat(worker.losses(CHILD)).isEqualTo(worker.losses(ROOT).subList(4, 9));
      assertThat(worker.evaluation(2)).isEqualTo(worker.evaluation(1));
    }
  }

  @ParameterizedTest
  @CsvSource({"mf, rmse, 0.8", "logreg, logLoss, 0.56"})
  void threadsWithoutLocksLearnAsWell(String program, String metric, double bound)
      throws Exception {
    for (String threads : List.of("1", "3")) {
      try (var worker = open(program, Map.of("optimizer", "sample-sgd", "threads", threads))) {
        worker.say(new BranchCommand.Create(ROOT, SETTING));
        worker.say(new BranchCommand.Schedule(ROOT, 200, 200));
        worker.say(new BranchCommand.Evaluate(ROOT, 1));
        assertThat(worker.evaluation(1).get(metric)).as("%s threads", threads).isLessThan(bound);
      }
    }
  }

  /// Several workers step on copies, whose changes are added up.
  @ParameterizedTest
  @CsvSource({"mf, rmse, 0.85", "logreg, logLoss, 0.56"})
  void severalWorkersLearnToo(String program, String metric, double bound) {
    try (var training =
        LocalTraining.of(() -> ProgramCatalog.named(program), SAMPLE_SGD, Optional.empty(), 2, 11)
            .with(Tunable.LEARNING_RATE, 0.02)
            .with(Tunable.BATCH_SIZE, 500)) {
      double before = training.metric(metric);
      training.epochs(4);
      assertThat(training.metric(metric)).isLessThan(bound).isLessThan(before);
    }
  }

  @Test
  void threadsNeedSampleSgd() {
    for (String program : List.of("mf", "logreg")) {
      assertThatThrownBy(() -> open(program, Map.of("threads", "2")).close())
          .hasMessageContaining("threads must be 1 unless the optimizer is sample-sgd");
    }
  }

  /// The bounds are what the folder's description measured for the same models.
  @ParameterizedTest
  @CsvSource({
    "mf, movielens-100k, rmse, 0.945, 0.02, 0.08, 20, 4000",
    "logreg, a9a, logLoss, 0.33, 0.02, 0, 5, 2048"
  })
  void reachesThePublishedQuality(
      String program,
      String folder,
      String metric,
      double bound,
      double rate,
      String l2,
      int epochs,
      int batch)
      throws Exception {
    Path data = TestData.require(folder);
    try (var worker =
        new LocalWorker(
            program,
            Map.of("optimizer", "sample-sgd", "l2", l2),
            Optional.of(data),
            HeldOut.NOTHING,
            checkpoints)) {
      long clocks = (long) epochs * worker.trainingSamples() / batch;
      var setting =
          Setting.of(Map.of(Tunable.LEARNING_RATE, rate, Tunable.BATCH_SIZE, (double) batch));
      worker.say(new BranchCommand.Create(ROOT, setting));
      worker.say(new BranchCommand.Schedule(ROOT, clocks, clocks));
      worker.say(new BranchCommand.Evaluate(ROOT, 1));
      assertThat(worker.evaluation(1).get(metric)).isLessThan(bound);
      assertThat(worker.evaluation(1).get(metric)).isCloseTo(bound, within(0.1));
    }
  }
}
