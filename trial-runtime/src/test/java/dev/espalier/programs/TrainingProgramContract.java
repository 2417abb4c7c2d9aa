package dev.espalier.programs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.api.model.Tunable;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.TrainingProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What every training program keeps to; a subclass names the program and its toy problem.
public abstract class TrainingProgramContract {
  private static final long SEED = 20_26;

  /// What a slope between floats may be off by, as a share of its table's largest gradient.
  private static final double SLACK = 5e-3;

  private static final Set<String> PENALTIES = Set.of("l1", "l2", "weightDecay");

  @TempDir protected Path folder;

  protected abstract TrainingProgram program();

  /// {@return arguments that make training on generated data quick}
  protected abstract Map<String, String> quickArguments();

  /// {@return a learning rate at which the loss on generated data falls within a few clocks}
  protected abstract double goodLearningRate();

  /// {@return by how much an epoch at least lowers the first metric's loss, as a factor < 1}
  protected abstract double lossFactor();

  /// Writes a data set with one mistake into `folder`.
  ///
  /// @return what the message must contain: the file and the place
  protected abstract String[] writeBadData(Path folder) throws IOException;

  /// {@return arguments with which gradients are smooth and penalties are on}
  protected abstract Map<String, String> smoothArguments();

  protected LocalTraining train(Map<String, String> arguments, int workers, long seed) {
    return LocalTraining.of(this::program, arguments, Optional.empty(), workers, seed)
        .with(Tunable.LEARNING_RATE, goodLearningRate());
  }

  @Test
  void describesItself() {
    var descriptor = program().describe();
    assertThat(descriptor.needsData()).isFalse();
    for (Argument argument : descriptor.arguments()) {
      if (argument.type() == Argument.Type.CHOICE) {
        assertThat(argument.choices()).contains(argument.defaultValue());
      }
    }
    assertThat(descriptor.tunables())
        .extracting(Tunable::name)
        .contains(Tunable.LEARNING_RATE, Tunable.BATCH_SIZE);
  }

  @Test
  void sameSeedGivesSameBits() {
    try (var one = train(quickArguments(), 1, SEED);
        var other = train(quickArguments(), 1, SEED);
        var different = train(quickArguments(), 1, SEED + 1)) {
      for (int i = 0; i < 5; i++) {
        assertThat(one.clock()).isEqualTo(other.clock());
        different.clock();
      }
      assertThat(one.parameters()).usingRecursiveComparison().isEqualTo(other.parameters());
      assertThat(one.evaluations()).isEqualTo(other.evaluations());
      assertThat(one.parameters()).usingRecursiveComparison().isNotEqualTo(different.parameters());
    }
  }

  @Test
  void evaluationChangesNothing() {
    try (var evaluated = train(quickArguments(), 1, SEED);
        var left = train(quickArguments(), 1, SEED)) {
      for (int i = 0; i < 3; i++) {
        Evaluation first = evaluated.evaluations().getFirst();
        assertThat(evaluated.evaluations().getFirst()).isEqualTo(first);
        assertThat(evaluated.clock()).isEqualTo(left.clock());
      }
      assertThat(evaluated.parameters()).usingRecursiveComparison().isEqualTo(left.parameters());
    }
  }

  @Test
  void evaluationsNameTheMetricsOfTheDescriptor() {
    try (var training = train(quickArguments(), 1, SEED)) {
      assertThat(training.evaluations().getFirst().metrics().keySet())
          .containsExactlyInAnyOrderElementsOf(
              program().describe().validation().stream().map(MetricSpec::name).toList());
      assertThat(training.evaluations().getFirst().samples()).isPositive();
    }
  }

  @Test
  void lossFalls() {
    try (var training = train(quickArguments(), 1, SEED)) {
      double before = training.clock();
      double after = training.epochs(1);
      assertThat(after).isLessThan(lossFactor() * before);
    }
  }

  @Test
  void twoWorkersAddUpToOne() {
    try (var one = train(quickArguments(), 1, SEED).with(Tunable.BATCH_SIZE, 64);
        var two = train(quickArguments(), 2, SEED).with(Tunable.BATCH_SIZE, 32)) {
      assertThat(two.addGradients()).isCloseTo(one.addGradients(), within(1e-3));
      var expected = one.gradients();
      two.gradients()
          .forEach((table, gradients) -> {
            for (int i = 0; i < gradients.length; i++) {
              assertThat(gradients[i])
                  .as("%s[%d]", table, i)
                  .isCloseTo(expected.get(table)[i], within(1e-3f));
            }
          });
      int samples = two.evaluations().stream().mapToInt(Evaluation::samples).sum();
      assertThat(samples).isEqualTo(one.evaluations().getFirst().samples());
      for (MetricSpec metric : program().describe().validation()) {
        assertThat(two.metric(metric.name()))
            .isCloseTo(one.metric(metric.name()), within(1e-5 * (1 + one.metric(metric.name()))));
      }
    }
  }

  @Test
  void gradientsAreThoseOfTheLoss() {
    var random = new Random(SEED);
    try (var training = train(smoothArguments(), 1, SEED).with(Tunable.BATCH_SIZE, 16)) {
      for (int i = 0; i < 3; i++) {
        training.clock();
      }
      training.addGradients();
      var gradients = training.gradients();
      assertThat(gradients.values()).allSatisfy(of -> assertThat(largest(of)).isPositive());
      training.clearGradients();
      var parameters = training.parameters();
      for (String table : parameters.keySet()) {
        int[] touched =
            java.util.stream.IntStream.range(0, parameters.get(table).length)
                .filter(i -> gradients.get(table)[i] != 0)
                .toArray();
        for (int trial = 0; trial < 25; trial++) {
          int i = touched[random.nextInt(touched.length)];
          double slope = slope(training, table, i, parameters.get(table)[i]);
          double gradient = gradients.get(table)[i];
          double slack = 2e-2 * Math.abs(slope) + SLACK * largest(gradients.get(table));
          assertThat(gradient).as("gradient of %s[%d]", table, i).isCloseTo(slope, within(slack));
        }
      }
    }
  }

  private static double largest(float[] values) {
    double largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  private static double slope(LocalTraining training, String table, int index, float value) {
    float step = 2e-3f;
    training.set(table, index, value + step);
    double above = training.addGradients();
    training.set(table, index, value - step);
    double below = training.addGradients();
    training.set(table, index, value);
    training.clearGradients();
    return (above - below) / ((value + step) - (double) (value - step));
  }

  /// Branches are compared by it: how large a branch's weights are must not decide.
  @Test
  void lossIsThatOfTheClockWithoutPenaltyAndAddsNothing() {
    var withoutPenalty = new TreeMap<>(smoothArguments());
    withoutPenalty.keySet().retainAll(PENALTIES);
    withoutPenalty.replaceAll((_, _) -> "0");
    var plainArguments = new TreeMap<>(smoothArguments());
    plainArguments.putAll(withoutPenalty);
    assertThat(plainArguments).isNotEqualTo(smoothArguments());
    try (var penalised = train(smoothArguments(), 1, SEED);
        var plain = train(plainArguments, 1, SEED)) {
      for (int i = 0; i < 3; i++) {
        penalised.clock();
        plain.clock();
      }
      plain.set(penalised.parameters());
      double loss = penalised.measureLoss();
      assertAllZero(penalised.gradients());
      assertThat(loss).isCloseTo(plain.addGradients(), withinPercentage(1e-4));
      assertThat(penalised.addGradients()).isGreaterThan(loss);
    }
  }

  private static void assertAllZero(Map<String, float[]> gradients) {
    assertThat(gradients.values()).allSatisfy(of -> assertThat(of).containsOnly(0));
  }

  @Test
  void aWorkerWithoutSamplesAddsNothing() {
    try (var training = train(quickArguments(), 1, SEED).with(Tunable.BATCH_SIZE, 0)) {
      var before = training.parameters();
      assertThat(training.addGradients()).isZero();
      assertThat(training.measureLoss()).isZero();
      assertAllZero(training.gradients());
      assertThat(training.parameters()).usingRecursiveComparison().isEqualTo(before);
    }
  }

  @Test
  void divergenceIsALossThatIsNotFinite() {
    try (var training = train(quickArguments(), 1, SEED)) {
      training
          .parameters()
          .forEach((table, values) -> {
            for (int i = 0; i < values.length; i++) {
              training.set(table, i, Float.NaN);
            }
          });
      assertThat(training.addGradients()).isNaN();
      assertThat(training.measureLoss()).isNaN();
      Evaluation judged = training.evaluations().getFirst();
      assertThat(judged.samples()).isPositive();
      for (MetricSpec metric : program().describe().validation()) {
        assertThat(judged.metrics().get(metric.name()))
            .as(metric.name())
            .isEqualTo(Double.valueOf(metric.goal() == Goal.MAXIMIZE ? 0 : Double.NaN));
      }
    }
  }

  @Test
  void badInputNamesFileAndPlace() throws IOException {
    String[] parts = writeBadData(folder);
    assertThatThrownBy(
            () -> LocalTraining.of(this::program, Map.of(), Optional.of(folder), 1, SEED).close())
        .isInstanceOfSatisfying(
            EspalierException.class,
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.INVALID_DATA);
              assertThat(e.getMessage()).contains(parts);
            });
  }

  @Test
  void needsToBeOpened() {
    try (var program = program()) {
      assertThatThrownBy(() -> program.evaluate(null)).isInstanceOf(IllegalStateException.class);
    }
  }
}
