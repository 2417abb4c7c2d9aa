package dev.espalier.programs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Tunable;
import dev.espalier.runtime.ProgramCatalog;
import dev.espalier.runtime.check.Finding;
import dev.espalier.runtime.check.Finding.Outcome;
import dev.espalier.runtime.check.ProgramCheck;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TrainingProgram;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A right program passes, and each wrong one fails in the check that is about its mistake.
@Timeout(120)
final class ProgramCheckTest {
  /// A line through noisy points, as in docs/TUTORIAL.md; mistakes override a method.
  private static class Line implements TrainingProgram {
    static final int TRAINING = 1_000;
    final float[] x = new float[TRAINING + 300];
    final float[] y = new float[x.length];

    @Override
    public ProgramDescriptor describe() {
      return ProgramDescriptor.of("line", "Fits a line.", MetricSpec.minimize("loss"));
    }

    @Override
    public ProgramShape open(ProgramEnvironment environment) {
      fill(new Random(environment.seed()));
      return ProgramShape.of(TRAINING, TableDeclaration.dense("line", 1, 2, "adam"));
    }

    final void fill(Random random) {
      for (int sample = 0; sample < x.length; sample++) {
        x[sample] = (float) random.nextGaussian();
        y[sample] = (float) (3 * x[sample] + 2 + 0.1 * random.nextGaussian());
      }
    }

    @Override
    public Progress clock(ProgramContext context) {
      return step(context, context.samples(), 1);
    }

    final Progress step(ProgramContext context, int[] samples, float weight) {
      var gradient = new float[2];
      double lossSum = lossSum(context, samples, gradient);
      gradient[0] *= weight;
      gradient[1] *= weight;
      context.table("line").addAll(gradient);
      return new Progress(lossSum, samples.length);
    }

    @Override
    public Evaluation evaluate(ProgramContext context) {
      int[] samples = context.share(TRAINING, x.length);
      return Evaluation.mean("loss", lossSum(context, samples, new float[2]), samples.length);
    }

    final double lossSum(ProgramContext context, int[] samples, float[] gradient) {
      float[] line = context.table("line").readAll();
      double lossSum = 0;
      for (int sample : samples) {
        float error = line[0] * x[sample] + line[1] - y[sample];
        gradient[0] += error * x[sample];
        gradient[1] += error;
        lossSum += 0.5 * error * error;
      }
      return lossSum;
    }
  }

  private static List<Finding> check(Supplier<? extends TrainingProgram> program)
      throws InterruptedException {
    return ProgramCheck.of(program).run(_ -> {});
  }

  private static List<String> wrong(List<Finding> findings) {
    return findings.stream()
        .filter(finding -> finding.outcome() == Outcome.FAILED)
        .map(Finding::check)
        .toList();
  }

  private static String sentence(List<Finding> findings, String check) {
    return findings.stream()
        .filter(finding -> finding.check().equals(check))
        .findFirst()
        .orElseThrow()
        .sentence();
  }

  @Test
  void rightProgramPasses() throws Exception {
    List<Finding> findings = check(Line::new);

    assertThat(findings)
        .hasSize(24)
        .allSatisfy(finding ->
            assertThat(finding.outcome()).as("%s", finding).isIn(Outcome.PASSED, Outcome.SKIPPED));
    ProgramCheck.of(Line::new).withTunable(Tunable.LEARNING_RATE, 0.1).requireRight();
  }

  private static final class WithoutResults extends Line {
    @Override
    @SuppressWarnings("NullAway") // what a program may do that is compiled without it
    public Evaluation evaluate(ProgramContext context) {
      return null;
    }
  }

  @Test
  void whatReturnsNullIsNamed() throws Exception {
    assertThat(sentence(check(WithoutResults::new), "evaluates what it describes"))
        .isEqualTo("program line returns null from evaluate");
  }

  private static final class WithStaticState extends Line {
    static final AtomicInteger STEPS = new AtomicInteger();

    @Override
    public Progress clock(ProgramContext context) {
      return step(context, context.samples(), 1f / STEPS.incrementAndGet());
    }
  }

  @Test
  void staticStateIsFoundAndNamed() throws Exception {
    List<Finding> findings = check(WithStaticState::new);

    assertThat(wrong(findings)).contains("a fork goes on as its parent does");
    assertThat(sentence(findings, "a fork goes on as its parent does"))
        .contains("fields that clock changes: WithStaticState.STEPS");
    assertThatThrownBy(() -> ProgramCheck.of(WithStaticState::new).requireRight())
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("a fork goes on as its parent does: ");
  }

  /// A momentum that a fork would have to copy.
  private static final class WithFieldState extends Line {
    private final float[] velocity = new float[2];

    @Override
    public Progress clock(ProgramContext context) {
      var gradient = new float[2];
      double lossSum = lossSum(context, context.samples(), gradient);
      for (int i = 0; i < 2; i++) {
        velocity[i] = 0.9f * velocity[i] + gradient[i];
      }
      context.table("line").addAll(velocity.clone());
      return new Progress(lossSum, context.samples().length);
    }
  }

  @Test
  void stateInFieldsDoesNotFollowForksAndRestarts() throws Exception {
    List<Finding> findings = check(WithFieldState::new);

    assertThat(wrong(findings))
        .contains(
            "a fork goes on as its parent does",
            "branches leave each other alone",
            "a restart goes on exactly")
        .doesNotContain("the same seed is the same run");
    assertThat(sentence(findings, "a restart goes on exactly")).contains("WithFieldState.velocity");
  }

  private static final class WithUnseededChance extends Line {
    private final Random random = new Random();

    @Override
    public Progress clock(ProgramContext context) {
      return step(context, context.samples(), random.nextFloat());
    }
  }

  @Test
  void unseededChanceIsFound() throws Exception {
    List<Finding> findings = check(WithUnseededChance::new);

    assertThat(wrong(findings)).contains("the same seed is the same run");
    assertThat(sentence(findings, "the same seed is the same run"))
        .contains("draw from context.random()", "WithUnseededChance.random");
  }

  private static final class WithoutMetric extends Line {
    @Override
    public ProgramDescriptor describe() {
      return ProgramDescriptor.of(
          "line", "Fits.", MetricSpec.minimize("loss"), MetricSpec.maximize("accuracy"));
    }
  }

  @Test
  void missingMetricIsNamed() throws Exception {
    List<Finding> findings = check(WithoutMetric::new);

    assertThat(wrong(findings)).containsExactly("evaluates what it describes");
    assertThat(sentence(findings, "evaluates what it describes"))
        .isEqualTo("describe lists metric accuracy, but evaluate gives only [loss]");
  }

  private static final class WithItsOwnBatch extends Line {
    @Override
    public Progress clock(ProgramContext context) {
      int[] samples = new int[32];
      Arrays.setAll(samples, i -> (int) (context.clock() * 32 + i) % TRAINING);
      return step(context, samples, 1);
    }
  }

  @Test
  void batchSizeThatIsIgnoredIsFound() throws Exception {
    List<Finding> findings = check(WithItsOwnBatch::new);

    assertThat(wrong(findings))
        .contains("trains on the samples it is given", "batchSize is the samples of a clock");
    assertThat(sentence(findings, "batchSize is the samples of a clock"))
        .contains("a clock says that it used 32 samples");
  }

  private static final class WithMeans extends Line {
    @Override
    public Progress clock(ProgramContext context) {
      return step(context, context.samples(), 1f / context.samples().length);
    }
  }

  @Test
  void gradientsThatAreMeansAreFound() throws Exception {
    List<Finding> findings = check(WithMeans::new);

    assertThat(wrong(findings)).containsExactly("gradients are sums");
    assertThat(sentence(findings, "gradients are sums"))
        .contains("2.00 times as far", "and not their mean");
  }

  private static final class WithoutShare extends Line {
    @Override
    public Evaluation evaluate(ProgramContext context) {
      int[] samples = IntStream.range(TRAINING, x.length).toArray();
      return Evaluation.mean("loss", lossSum(context, samples, new float[2]), samples.length);
    }
  }

  @Test
  void evaluationThatIsNotSharedIsFound() throws Exception {
    assertThat(wrong(check(WithoutShare::new))).containsExactly("two workers share the evaluation");
  }

  /// Judged by parts of its validation samples.
  private static class InParts extends Line {
    @Override
    public ProgramShape open(ProgramEnvironment environment) {
      ProgramShape shape = super.open(environment);
      return shape.withValidationSamples(x.length - TRAINING);
    }
  }

  @Test
  void partsOfTheValidationSamplesAreMeasured() throws Exception {
    List<Finding> findings = check(InParts::new);

    assertThat(wrong(findings)).isEmpty();
    assertThat(sentence(findings, "parts of the validation samples judge"))
        .contains("parts of loss come to the whole");
  }

  /// Its loss is of the same samples as its accuracy, and said to be of so many others.
  private static final class WithCountedLoss extends InParts {
    @Override
    public ProgramDescriptor describe() {
      ProgramDescriptor line = super.describe();
      return new ProgramDescriptor(
          line.name(),
          line.summary(),
          line.needsData(),
          line.arguments(),
          line.tunables(),
          List.of(MetricSpec.maximize("closeness"), MetricSpec.minimize("loss")));
    }

    @Override
    public Evaluation evaluate(ProgramContext context) {
      Evaluation loss = super.evaluate(context);
      double mean = loss.metrics().get("loss");
      return new Evaluation(Map.of("closeness", -mean), loss.samples())
          .with("loss", mean, loss.samples());
    }
  }

  @Test
  void aLossThatIsKeptFromJudgingIsOdd() throws Exception {
    List<Finding> findings = check(WithCountedLoss::new);

    assertThat(wrong(findings)).isEmpty();
    assertThat(sentence(findings, "parts of the validation samples judge"))
        .contains("closeness judges races", "loss is of other samples");
  }

  private static final class WithoutParts extends InParts {
    @Override
    public Evaluation evaluate(ProgramContext context) {
      int[] samples =
          IntStream.range(TRAINING, x.length)
              .filter(sample -> sample % context.workers() == context.worker())
              .toArray();
      return Evaluation.mean("loss", lossSum(context, samples, new float[2]), samples.length);
    }
  }

  @Test
  void partsThatAreAllTheSameAreFound() throws Exception {
    assertThat(wrong(check(WithoutParts::new)))
        .containsExactly("parts of the validation samples judge");
  }

  private static final class WithSumsOfParts extends InParts {
    @Override
    public Evaluation evaluate(ProgramContext context) {
      int[] samples = context.share(TRAINING, x.length);
      double sum = lossSum(context, samples, new float[2]);
      return new Evaluation(Map.of("loss", sum / (samples.length + 30)), samples.length);
    }
  }

  @Test
  void partsThatDoNotComeToTheWholeAreFound() throws Exception {
    assertThat(wrong(check(WithSumsOfParts::new)))
        .containsExactly("parts of the validation samples judge");
  }

  private static final class WithCountsFirst extends InParts {
    @Override
    public ProgramDescriptor describe() {
      ProgramDescriptor line = super.describe();
      var metrics = new ArrayList<>(List.of(MetricSpec.maximize("right")));
      metrics.addAll(line.validation());
      return new ProgramDescriptor(
          line.name(),
          line.summary(),
          line.needsData(),
          line.arguments(),
          line.tunables(),
          metrics);
    }

    @Override
    public Evaluation evaluate(ProgramContext context) {
      int[] samples = context.share(TRAINING, x.length);
      double loss = lossSum(context, samples, new float[2]) / samples.length;
      return new Evaluation(Map.of("right", (double) samples.length, "loss", loss), samples.length);
    }
  }

  @Test
  void aFirstMetricWhosePartsDoNotComeToTheWholeIsFound() throws Exception {
    List<Finding> findings = check(WithCountsFirst::new);

    assertThat(wrong(findings)).contains("parts of the validation samples judge");
    assertThat(sentence(findings, "parts of the validation samples judge")).startsWith("right ");
  }

  /// Training that goes on in the evaluation, by way of a field.
  private static final class WithLearningEvaluation extends Line {
    private int evaluations;

    @Override
    public Progress clock(ProgramContext context) {
      return step(context, context.samples(), 1f / (1 + evaluations));
    }

    @Override
    public Evaluation evaluate(ProgramContext context) {
      evaluations++;
      return super.evaluate(context);
    }
  }

  @Test
  void evaluationThatChangesTrainingIsFound() throws Exception {
    assertThat(wrong(check(WithLearningEvaluation::new))).contains("measuring changes nothing");
  }

  private static final class WithStrictLoss extends Line {
    @Override
    public Progress clock(ProgramContext context) {
      Progress progress = super.clock(context);
      if (Double.isNaN(progress.lossSum())) {
        throw new IllegalStateException("loss is NaN");
      }
      return progress;
    }
  }

  @Test
  void lossThatMayNotBeNoNumberIsFound() throws Exception {
    List<Finding> findings = check(WithStrictLoss::new);

    assertThat(wrong(findings)).containsExactly("lets a branch diverge");
    assertThat(sentence(findings, "lets a branch diverge"))
        .contains(
            "failed in clock at ProgramCheckTest.java:", "IllegalStateException: loss is NaN");
  }

  /// Fills a list that is not emptied, so that the second `open` has everything twice.
  private static final class WithGrowingData extends Line {
    private final List<Integer> samples = new ArrayList<>();

    @Override
    public ProgramShape open(ProgramEnvironment environment) {
      ProgramShape shape = super.open(environment);
      for (int i = 0; i < TRAINING / 2; i++) {
        samples.add(i);
      }
      return shape.withTrainingSamples(samples.size());
    }
  }

  @Test
  void openThatCannotBeRepeatedIsFound() throws Exception {
    List<Finding> findings = check(WithGrowingData::new);

    assertThat(wrong(findings)).containsExactly("opens again after it was closed");
    assertThat(sentence(findings, "opens again after it was closed"))
        .contains("says 1000 training samples and said 500 before");
  }

  /// Says more samples than it has; only the pass over all of them meets the missing ones.
  private static final class WithTooManySamples extends Line {
    @Override
    public ProgramShape open(ProgramEnvironment environment) {
      return super.open(environment).withTrainingSamples(x.length + 1);
    }
  }

  @Test
  void sampleThatIsNotThereIsFound() throws Exception {
    List<Finding> findings = check(WithTooManySamples::new);

    assertThat(wrong(findings)).contains("goes through its samples");
    assertThat(sentence(findings, "goes through its samples"))
        .contains("Program line failed in clock at", "ArrayIndexOutOfBoundsException");
  }

  /// Steps by itself, and by the setting's rate, which a falling rate does not reach.
  private static final class WithItsOwnRate extends Line {
    @Override
    public ProgramShape open(ProgramEnvironment environment) {
      super.open(environment);
      return ProgramShape.of(TRAINING, TableDeclaration.dense("line", 1, 2, "add"));
    }

    @Override
    public Progress clock(ProgramContext context) {
      double rate = context.setting().value(Tunable.LEARNING_RATE);
      return step(context, context.samples(), (float) (-rate / context.samples().length));
    }
  }

  @Test
  void rateThatCannotFallIsFound() throws Exception {
    List<Finding> findings = check(WithItsOwnRate::new);

    assertThat(wrong(findings)).contains("a rate that falls is followed");
    assertThat(sentence(findings, "a rate that falls is followed"))
        .contains("step by context.learningRate()");
  }

  private static final class WithIdleTunable extends Line {
    @Override
    public ProgramDescriptor describe() {
      ProgramDescriptor line = super.describe();
      var tunables = new ArrayList<>(line.tunables());
      tunables.add(new Tunable.LinearRange("dropout", 0, 0.9, 0.5));
      return new ProgramDescriptor(
          line.name(), line.summary(), false, List.of(), tunables, line.validation());
    }
  }

  @Test
  void tunableThatCountsNothingIsNamed() throws Exception {
    List<Finding> findings = check(WithIdleTunable::new);

    assertThat(wrong(findings)).isEmpty();
    assertThat(findings)
        .filteredOn(finding -> finding.outcome() == Outcome.WARNED)
        .singleElement()
        .satisfies(finding -> assertThat(finding.sentence()).contains("dropout"));
  }

  /// Blurs its gradients by draws that its losses do not show.
  private static class WithChance extends Line {
    @Override
    public Progress clock(ProgramContext context) {
      var noise = new float[2];
      for (int sample = 0; sample < context.samples().length; sample++) {
        noise[0] += 0.3f * (float) context.random().nextGaussian();
      }
      context.table("line").addAll(noise);
      return step(context, context.samples(), weight(context));
    }

    float weight(ProgramContext context) {
      return 1;
    }
  }

  private static final class WithChanceAndMeans extends WithChance {
    @Override
    float weight(ProgramContext context) {
      return 8f / context.samples().length;
    }
  }

  @Test
  void twoWorkersMayDrawOtherNumbersThanOne() throws Exception {
    List<Finding> findings = check(WithChance::new);

    assertThat(wrong(findings)).isEmpty();
    assertThat(sentence(findings, "gradients are sums")).contains("draws other numbers");
    assertThat(wrong(check(WithChanceAndMeans::new))).containsExactly("gradients are sums");
  }

  /// Measures with as much noise as it trains with.
  private static final class WithNoiseInItsMetric extends Line {
    @Override
    public ProgramDescriptor describe() {
      ProgramDescriptor line = super.describe();
      var tunables = new ArrayList<>(line.tunables());
      tunables.add(new Tunable.LinearRange("noise", 0, 1, 0.5));
      return new ProgramDescriptor(
          line.name(), line.summary(), false, List.of(), tunables, line.validation());
    }

    @Override
    public Progress clock(ProgramContext context) {
      Progress progress = super.clock(context);
      return new Progress(
          progress.lossSum() * (1 + context.setting().value("noise")), progress.samples());
    }
  }

  @Test
  void lossThatDependsOnTheSettingIsNamed() throws Exception {
    List<Finding> findings = check(WithNoiseInItsMetric::new);

    assertThat(wrong(findings)).isEmpty();
    assertThat(sentence(findings, "settings are judged alike")).contains("noise by loss;");
  }

  private static final class ThatCannotOpen extends Line {
    @Override
    public ProgramShape open(ProgramEnvironment environment) {
      throw new IllegalStateException("100% of the disk is full");
    }
  }

  @Test
  void checksEndWhereNothingCanRun() throws Exception {
    List<Finding> findings = check(ThatCannotOpen::new);

    assertThat(findings).hasSize(2);
    assertThat(findings.getLast().sentence())
        .contains("failed in open at ProgramCheckTest.java:", "100% of the disk is full");
  }

  @Test
  void memoryIsBoundedAsThatOfAWorker() throws Exception {
    System.setProperty("espalier.memory.bytes", "1");
    try {
      assertThat(sentence(check(Line::new), "trains"))
          .startsWith("there is too little memory for the tables here")
          .contains("0 of 1 bytes of the budget", "-Despalier.memory.bytes=BYTES")
          .doesNotContain("line failed");
    } finally {
      System.clearProperty("espalier.memory.bytes");
    }
  }

  private static final class ThatNeedsMuch extends Line {
    @Override
    public Progress clock(ProgramContext context) {
      throw new OutOfMemoryError("Java heap space");
    }
  }

  @Test
  void heapThatIsTooSmallIsToldApartFromAMistake() throws Exception {
    assertThat(sentence(check(ThatNeedsMuch::new), "trains"))
        .startsWith("there is too little heap (")
        .contains("Java heap space", "-Xmx in JDK_JAVA_OPTIONS");
  }

  @Test
  void unknownArgumentIsRefused() {
    assertThatThrownBy(() -> ProgramCheck.of(Line::new).withArgument("rank", "3").run(_ -> {}))
        .hasMessage("program line has no argument rank; it has []");
  }

  @ParameterizedTest
  @CsvSource({"mf, rank, 4", "logreg, l2, 0.01", "pagerank, damping, 0.8"})
  void builtInProgramsAreRight(String program, String argument, String value) throws Exception {
    ProgramCheck.of(() -> ProgramCatalog.named(program))
        .withArgument(argument, value)
        .requireRight();
  }

  @Test
  void programWithCountsIsRight() throws Exception {
    ProgramCheck.of(() -> ProgramCatalog.named("lda")).withArgument("topics", "4").requireRight();
  }
}
