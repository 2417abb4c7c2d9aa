package dev.espalier.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A branch is an exact snapshot: with the same setting it goes on as its parent does, bit for bit.
@Timeout(180)
class ExactForkTest {
  private static final BranchId ROOT = BranchId.ROOT;
  private static final BranchId SAME = new BranchId(1);
  private static final BranchId FASTER = new BranchId(2);
  private static final Setting SETTING =
      Setting.of(
          Map.of(Tunable.LEARNING_RATE, 0.05, Tunable.MOMENTUM, 0.9, Tunable.BATCH_SIZE, 8.0));

  @TempDir private Path checkpoints;

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void forkGoesOnAsItsParentDoes(int workers) throws Exception {
    try (var tuner = new ScriptedTuner(workers, checkpoints);
        var threads = WorkerThreads.attach(tuner, () -> new ExactProgram(0))) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      schedule(tuner, ROOT, 7);
      fork(tuner, SAME, SETTING);
      fork(tuner, FASTER, SETTING.with(Tunable.LEARNING_RATE, 0.1));
      schedule(tuner, ROOT, 27);
      schedule(tuner, FASTER, 20);
      schedule(tuner, SAME, 20);
      tuner.say(new BranchCommand.Evaluate(ROOT, 1));
      tuner.say(new BranchCommand.Evaluate(SAME, 2));
      tuner.say(new BranchCommand.Evaluate(FASTER, 3));
      tuner.awaitEvaluation(3);

      for (int worker = 0; worker < workers; worker++) {
        List<Double> root = tuner.losses(worker, ROOT);
        assertThat(root).hasSize(27).allMatch(Double::isFinite).doesNotHaveDuplicates();
        assertSameBits(tuner.losses(worker, SAME), root.subList(7, 27));
        assertThat(tuner.evaluation(worker, 2)).isEqualTo(tuner.evaluation(worker, 1));

        List<Double> faster = tuner.losses(worker, FASTER);
        assertSameBits(faster.subList(0, 1), root.subList(7, 8));
        assertThat(faster.subList(1, 20)).doesNotContainAnyElementsOf(root.subList(8, 27));
        assertThat(tuner.evaluation(worker, 3)).isNotEqualTo(tuner.evaluation(worker, 1));
      }
      tuner.say(new BranchCommand.Stop());
      threads.awaitEnd();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void siblingsChangeNothing(int workers) throws Exception {
    List<List<Double>> undisturbed = rootLosses(workers, false);
    List<List<Double>> disturbed = rootLosses(workers, true);

    for (int worker = 0; worker < workers; worker++) {
      assertSameBits(disturbed.get(worker), undisturbed.get(worker));
    }
  }

  /// Runs the root for 40 clocks; with siblings, five come, train, are measured and go in between.
  private List<List<Double>> rootLosses(int workers, boolean siblings) throws Exception {
    try (var tuner = new ScriptedTuner(workers, checkpoints);
        var threads = WorkerThreads.attach(tuner, () -> new ExactProgram(0))) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      for (int part = 1; part <= 5; part++) {
        schedule(tuner, ROOT, 8L * part - 3);
        if (siblings) {
          var sibling = new BranchId(part);
          fork(tuner, sibling, SETTING.with(Tunable.LEARNING_RATE, 0.02 * part));
          schedule(tuner, sibling, 3L * part);
          tuner.say(new BranchCommand.Evaluate(sibling, 100 + part));
          if (part % 2 == 0) {
            tuner.say(new BranchCommand.Free(new BranchId(part - 1)));
            tuner.say(new BranchCommand.Free(sibling));
          }
        }
        schedule(tuner, ROOT, 8L * part);
      }
      tuner.say(new BranchCommand.Evaluate(ROOT, 1));
      tuner.awaitEvaluation(1);
      var losses = new ArrayList<List<Double>>();
      for (int worker = 0; worker < workers; worker++) {
        var ofWorker = new ArrayList<>(tuner.losses(worker, ROOT));
        assertThat(ofWorker).hasSize(40);
        ofWorker.addAll(new java.util.TreeMap<>(tuner.evaluation(worker, 1)).values());
        losses.add(ofWorker);
      }
      tuner.say(new BranchCommand.Stop());
      threads.awaitEnd();
      return losses;
    }
  }

  @Test
  void checkpointsThatAreDroppedWhileTheyAreWrittenLeaveNothing() throws Exception {
    try (var tuner = new ScriptedTuner(2, checkpoints);
        var threads = WorkerThreads.attach(tuner, () -> new ExactProgram(0))) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      schedule(tuner, ROOT, 9);
      for (int checkpoint = 1; checkpoint <= 20; checkpoint++) {
        tuner.say(new BranchCommand.Checkpoint(ROOT, checkpoint));
        tuner.say(new BranchCommand.DropCheckpoint(checkpoint));
      }
      tuner.awaitCheckpoint(20);
      tuner.say(new BranchCommand.Stop());
      threads.awaitEnd();
    }
    try (Stream<Path> left = Files.walk(checkpoints)) {
      assertThat(left.filter(Files::isRegularFile)).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void restoredCheckpointGoesOnAsTheBranchDid(int workers) throws Exception {
    try (var tuner = new ScriptedTuner(workers, checkpoints);
        var threads = WorkerThreads.attach(tuner, () -> new ExactProgram(0))) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      schedule(tuner, ROOT, 9);
      tuner.say(new BranchCommand.Checkpoint(ROOT, 1));
      schedule(tuner, ROOT, 29);
      tuner.say(new BranchCommand.Evaluate(ROOT, 1));
      tuner.awaitCheckpoint(1);
      tuner.awaitEvaluation(1);
      var before = new ArrayList<List<Double>>();
      var measured = new ArrayList<Map<String, Double>>();
      for (int worker = 0; worker < workers; worker++) {
        before.add(tuner.losses(worker, ROOT));
        measured.add(tuner.evaluation(worker, 1));
      }

      tuner.startNextGeneration();
      var restored = new BranchId(3);
      tuner.say(new BranchCommand.Restore(restored, 1, SETTING));
      schedule(tuner, restored, 20);
      tuner.say(new BranchCommand.Evaluate(restored, 1));
      tuner.awaitEvaluation(1);

      for (int worker = 0; worker < workers; worker++) {
        assertSameBits(tuner.losses(worker, restored), before.get(worker).subList(9, 29));
        assertThat(tuner.evaluation(worker, 1)).isEqualTo(measured.get(worker));
      }
      tuner.say(new BranchCommand.Stop());
      threads.awaitEnd();
    }
  }

  private static void schedule(ScriptedTuner tuner, BranchId branch, long untilClock) {
    tuner.say(new BranchCommand.Schedule(branch, untilClock, untilClock));
  }

  private static void fork(ScriptedTuner tuner, BranchId branch, Setting setting) {
    tuner.say(new BranchCommand.Fork(branch, ROOT, BranchKind.TRIAL, setting));
  }

  private static void assertSameBits(List<Double> actual, List<Double> expected) {
    assertThat(bits(actual)).isEqualTo(bits(expected));
  }

  private static List<String> bits(List<Double> values) {
    return values.stream()
        .map(value -> Long.toHexString(Double.doubleToRawLongBits(value)))
        .toList();
  }
}
