package dev.espalier.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProbeSource;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.data.SampleSplit;
import dev.espalier.runtime.branch.BranchExecutor;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TrainingProgram;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Real workers measure branches on held-out samples, and let a rate fall to zero.
@Timeout(180)
class ProbeTest {
  private static final BranchId ROOT = BranchId.ROOT;
  private static final BranchId SAME = new BranchId(1);
  private static final BranchId OTHER = new BranchId(2);
  private static final Setting SETTING =
      Setting.of(
          Map.of(Tunable.LEARNING_RATE, 0.05, Tunable.MOMENTUM, 0.9, Tunable.BATCH_SIZE, 8.0));
  private static final HeldOut PROBES = new HeldOut(40, 0.5, ProbeSource.HELD_OUT);

  @TempDir private Path checkpoints;

  /// Notes which samples it trains on; has no `loss` of its own, so its `clock` is used.
  private static final class Watched extends ExactProgram {
    private final Set<Integer> seen;

    Watched(Set<Integer> seen) {
      super(0);
      this.seen = seen;
    }

    @Override
    public Progress clock(ProgramContext context) {
      for (int sample : context.samples()) {
        seen.add(sample);
      }
      return super.clock(context);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void equalBranchesHaveEqualLossesAndNothingChanges(int workers) throws Exception {
    List<Double> undisturbed = losses(workers, false);
    assertThat(losses(workers, true)).isEqualTo(undisturbed);
  }

  private List<Double> losses(int workers, boolean isProbed) throws Exception {
    try (var tuner = new ScriptedTuner(workers, checkpoints)) {
      tuner.holdOut(PROBES);
      try (var threads = WorkerThreads.attach(tuner, () -> new ExactProgram(0))) {
        tuner.say(new BranchCommand.Create(ROOT, SETTING));
        tuner.say(new BranchCommand.Schedule(ROOT, 10, 10));
        if (isProbed) {
          tuner.say(new BranchCommand.Fork(SAME, ROOT, BranchKind.TRIAL, SETTING));
          tuner.say(new BranchCommand.Fork(OTHER, ROOT, BranchKind.TRIAL, SETTING));
          tuner.say(new BranchCommand.Schedule(OTHER, 5, 5));
          tuner.say(new BranchCommand.Probe(ROOT, 1, 1000));
          tuner.say(new BranchCommand.Probe(SAME, 2, 1000));
          tuner.say(new BranchCommand.Probe(OTHER, 3, 1000));
        }
        tuner.say(new BranchCommand.Schedule(ROOT, 30, 30));
        tuner.say(new BranchCommand.Evaluate(ROOT, 4));
        tuner.awaitEvaluation(4);
        if (isProbed) {
          assertPaired(tuner);
        }
        List<Double> losses = tuner.losses(0, ROOT);
        tuner.say(new BranchCommand.Stop());
        threads.awaitEnd();
        return losses;
      }
    }
  }

  private static void assertPaired(ScriptedTuner tuner) {
    int blocks = 0;
    long samples = 0;
    for (int worker = 0; worker < tuner.workers(); worker++) {
      List<Double> root = tuner.probe(worker, 1);
      blocks += root.size();
      samples += probedSamples(tuner, worker);
      assertThat(root).isNotEmpty().allMatch(Double::isFinite);
      assertThat(tuner.probe(worker, 2)).isEqualTo(root);
      assertThat(tuner.probe(worker, 3)).hasSameSizeAs(root).isNotEqualTo(root);
      assertThat(tuner.reports(worker)).contains(new WorkerReport.Ready(50, 8, 40));
    }
    assertThat(blocks).isEqualTo(3);
    assertThat(samples).isEqualTo(40);
  }

  private static double mean(int[] numbers, int from, int until) {
    return Arrays.stream(numbers, from, until).average().orElseThrow();
  }

  private static long probedSamples(ScriptedTuner tuner, int worker) {
    return tuner.reports(worker).stream()
        .filter(WorkerReport.Evaluated.class::isInstance)
        .map(WorkerReport.Evaluated.class::cast)
        .filter(evaluated -> evaluated.evaluation() == 1)
        .mapToLong(WorkerReport.Evaluated::samples)
        .sum();
  }

  /// Measures the numbers of its validation samples.
  private static final class Validated extends ExactProgram {
    private static final int VALIDATION = 40;

    Validated() {
      super(0);
    }

    @Override
    public ProgramShape open(ProgramEnvironment environment) {
      return super.open(environment).withValidationSamples(VALIDATION);
    }

    @Override
    public Evaluation evaluate(ProgramContext context) {
      int[] share = context.share(0, VALIDATION);
      int[] tested = context.share(0, VALIDATION + 1);
      if (share.length <= BranchExecutor.PROBE_BLOCK) {
        assertThat(tested).as("a part of a test set").isEmpty();
      }
      return Evaluation.mean("loss", Arrays.stream(share).sum(), share.length)
          .with("weights", tested.length, tested.length);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void validationSamplesJudgeInBlocksAndNoneIsHeldOut(int workers) throws Exception {
    try (var tuner = new ScriptedTuner(workers, checkpoints)) {
      judgeByValidation(tuner, Validated::new);
      List<Double> all = new ArrayList<>();
      long samples = 0;
      for (int worker = 0; worker < workers; worker++) {
        all.addAll(tuner.probe(worker, 1));
        samples += probedSamples(tuner, worker);
        assertThat(tuner.reports(worker)).contains(new WorkerReport.Ready(90, 8, 40));
      }
      int[] drawn = SampleSplit.drawnFirst(40, 40, ScriptedTuner.SEED);
      assertThat(all)
          .containsExactlyInAnyOrder(mean(drawn, 0, 16), mean(drawn, 16, 32), mean(drawn, 32, 40));
      assertThat(samples).isEqualTo(40);
      assertThat(tuner.probe(0, 2)).containsExactly(mean(drawn, 0, 16));
    }
  }

  /// Probes all 40 validation samples as 1, and the first block of them as 2.
  private static void judgeByValidation(ScriptedTuner tuner, Supplier<TrainingProgram> program)
      throws Exception {
    tuner.holdOut(new HeldOut(40, 0.5, ProbeSource.VALIDATION));
    try (var threads = WorkerThreads.attach(tuner, program)) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      tuner.say(new BranchCommand.Probe(ROOT, 1, 1000));
      tuner.say(new BranchCommand.Probe(ROOT, 2, 16));
      tuner.say(new BranchCommand.Evaluate(ROOT, 3));
      tuner.awaitEvaluation(3);
      tuner.say(new BranchCommand.Stop());
      threads.awaitEnd();
    }
  }

  private static ProgramDescriptor measuring(ProgramDescriptor program, MetricSpec... metrics) {
    return new ProgramDescriptor(
        program.name(),
        program.summary(),
        program.needsData(),
        program.arguments(),
        program.tunables(),
        List.of(metrics));
  }

  /// Measures first which of its validation samples have even numbers, and then their numbers.
  private static class Scored extends ExactProgram {
    private static final int VALIDATION = 40;

    Scored() {
      super(0);
    }

    @Override
    public ProgramDescriptor describe() {
      return measuring(super.describe(), MetricSpec.maximize("even"), MetricSpec.minimize("loss"));
    }

    @Override
    public ProgramShape open(ProgramEnvironment environment) {
      return super.open(environment).withValidationSamples(VALIDATION);
    }

    @Override
    public Evaluation evaluate(ProgramContext context) {
      int[] share = context.share(0, VALIDATION);
      double even = Arrays.stream(share).filter(number -> number % 2 == 0).count();
      return new Evaluation(
          Map.of("even", even / share.length, "loss", Arrays.stream(share).average().orElseThrow()),
          share.length);
    }
  }

  /// Has a loss of a test set, which it leaves out where a part is measured.
  private static final class Tested extends Scored {
    @Override
    public ProgramDescriptor describe() {
      return measuring(
          super.describe(),
          MetricSpec.maximize("even"),
          MetricSpec.minimize("testLoss"),
          MetricSpec.minimize("loss"));
    }

    @Override
    public Evaluation evaluate(ProgramContext context) {
      Evaluation evaluation = super.evaluate(context);
      return context.isPart() ? evaluation : evaluation.with("testLoss", 7, 10);
    }
  }

  /// Has a metric whose large values are good, and no other.
  private static final class ScoredOnly extends Scored {
    @Override
    public ProgramDescriptor describe() {
      return measuring(super.describe(), MetricSpec.maximize("even"));
    }

    @Override
    public Evaluation evaluate(ProgramContext context) {
      Evaluation evaluation = super.evaluate(context);
      return new Evaluation(Map.of("even", evaluation.metrics().get("even")), evaluation.samples());
    }
  }

  /// Whoever shows what was measured must know that it is a metric's negative.
  @Test
  void aMetricThatStandsForALossIsNamed() throws Exception {
    try (var tuner = new ScriptedTuner(1, checkpoints)) {
      judgeByValidation(tuner, ScoredOnly::new);
      List<Double> losses = tuner.probe(0, 1);
      assertThat(losses).hasSize(3).allMatch(loss -> loss < 0);
      assertThat(tuner.evaluated(0, 1).orElseThrow().metrics())
          .containsOnlyKeys("even")
          .hasEntrySatisfying(
              "even",
              value ->
                  assertThat(value)
                      .isEqualTo(
                          -losses.stream().mapToDouble(loss -> loss).average().orElseThrow()));
    }
    try (var tuner = new ScriptedTuner(1, checkpoints.resolve("with a loss"))) {
      judgeByValidation(tuner, Scored::new);
      assertThat(tuner.evaluated(0, 1).orElseThrow().metrics()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theFirstMetricIsMeasuredBesideTheLossOfEachBlock(boolean isTested) throws Exception {
    try (var tuner = new ScriptedTuner(1, checkpoints)) {
      judgeByValidation(tuner, isTested ? Tested::new : Scored::new);
      int[] drawn = SampleSplit.drawnFirst(40, 40, ScriptedTuner.SEED);
      assertThat(tuner.probe(0, 1))
          .containsExactly(mean(drawn, 0, 16), mean(drawn, 16, 32), mean(drawn, 32, 40));
      int[] odd = Arrays.stream(drawn).map(number -> number % 2).toArray();
      assertThat(tuner.evaluated(0, 1).orElseThrow().scores())
          .containsExactly(mean(odd, 0, 16) - 1, mean(odd, 16, 32) - 1, mean(odd, 32, 40) - 1);
    }
  }

  @Test
  void whatAnEvaluationAddsIsThrownAway() throws Exception {
    List<List<Double>> losses = new ArrayList<>();
    for (float added : new float[] {0, 100}) {
      try (var tuner = new ScriptedTuner(1, checkpoints);
          var threads = WorkerThreads.attach(tuner, () -> new Adding(added))) {
        tuner.say(new BranchCommand.Create(ROOT, SETTING));
        tuner.say(new BranchCommand.Evaluate(ROOT, 1));
        tuner.say(new BranchCommand.Schedule(ROOT, 10, 10));
        tuner.say(new BranchCommand.Evaluate(ROOT, 2));
        tuner.awaitEvaluation(2);
        losses.add(tuner.losses(0, ROOT));
        tuner.say(new BranchCommand.Stop());
        threads.awaitEnd();
      }
    }
    assertThat(losses.getFirst()).hasSize(10).isEqualTo(losses.getLast());
  }

  /// Adds gradients where it should only look.
  private static final class Adding extends ExactProgram {
    private final float added;

    Adding(float added) {
      super(0);
      this.added = added;
    }

    @Override
    public Evaluation evaluate(ProgramContext context) {
      float[] gradients = new float[9];
      Arrays.fill(gradients, added);
      context.table("mixer").addAll(gradients);
      return super.evaluate(context);
    }
  }

  @Test
  void heldOutSamplesAreNeverTrainedOn() throws Exception {
    Set<Integer> seen = ConcurrentHashMap.newKeySet();
    try (var tuner = new ScriptedTuner(1, checkpoints)) {
      tuner.holdOut(PROBES);
      try (var threads = WorkerThreads.attach(tuner, () -> new Watched(seen))) {
        tuner.say(new BranchCommand.Create(ROOT, SETTING));
        tuner.say(new BranchCommand.Schedule(ROOT, 40, 40));
        tuner.say(new BranchCommand.Evaluate(ROOT, 1));
        tuner.awaitEvaluation(1);
        tuner.say(new BranchCommand.Stop());
        threads.awaitEnd();
      }
    }
    int[] training = SampleSplit.of(90, 40, ScriptedTuner.SEED).training();
    assertThat(seen).hasSize(50);
    for (int sample : training) {
      assertThat(seen).contains(sample);
    }
  }

  @Test
  void rateThatFallsMovesLessAndLess() throws Exception {
    try (var tuner = new ScriptedTuner(1, checkpoints);
        var threads = WorkerThreads.attach(tuner, () -> new ExactProgram(0))) {
      tuner.say(new BranchCommand.Create(ROOT, SETTING));
      tuner.say(new BranchCommand.Schedule(ROOT, 10, 10));
      tuner.say(new BranchCommand.Fork(SAME, ROOT, BranchKind.TRIAL, SETTING));
      tuner.say(new BranchCommand.Schedule(SAME, 3, 3, Shape.linearToZero(3, 8)));
      tuner.say(new BranchCommand.Schedule(SAME, 20, 20, Shape.linearToZero(3, 8)));
      tuner.say(new BranchCommand.Schedule(ROOT, 30, 30));
      tuner.say(new BranchCommand.Evaluate(ROOT, 1));
      tuner.awaitEvaluation(1);
      List<Double> constant = tuner.losses(0, ROOT).subList(10, 30);
      List<Double> annealed = tuner.losses(0, SAME);
      // Clock 3 still has the whole rate, so the first loss that can differ is that of clock 5.
      assertThat(annealed.subList(0, 5)).isEqualTo(constant.subList(0, 5));
      assertThat(annealed.subList(5, 20)).doesNotContainAnyElementsOf(constant.subList(5, 20));
      tuner.say(new BranchCommand.Stop());
      threads.awaitEnd();
    }
  }
}
