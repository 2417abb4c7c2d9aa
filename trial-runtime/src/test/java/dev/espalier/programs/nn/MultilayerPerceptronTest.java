package dev.espalier.programs.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.ProbeSource;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.programs.LocalTraining;
import dev.espalier.programs.TestData;
import dev.espalier.programs.TrainingProgramContract;
import dev.espalier.runtime.branch.LocalCrew;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ForwardingProgram;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.TrainingProgram;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MultilayerPerceptronTest extends TrainingProgramContract {
  @Override
  protected TrainingProgram program() {
    return new MultilayerPerceptron();
  }

  @Override
  protected Map<String, String> quickArguments() {
    return Map.of("hidden", "32");
  }

  @Override
  protected double goodLearningRate() {
    return 0.03;
  }

  @Override
  protected double lossFactor() {
    return 0.7;
  }

  @Override
  protected Map<String, String> smoothArguments() {
    return Map.of("hidden", "16,12", "activation", "tanh", "weightDecay", "0.1");
  }

  @Override
  protected String[] writeBadData(Path folder) throws IOException {
    writeIdx(folder, 12, 12, 7, 99);
    return new String[] {"train-labels-idx1-ubyte", "byte 15", "[0, 9]", "99"};
  }

  private static void writeIdx(Path folder, int images, int labels, int at, int label)
      throws IOException {
    var pixels = ByteBuffer.allocate(16 + 4 * images);
    pixels.putInt(2051).putInt(images).putInt(2).putInt(2);
    for (int i = 0; i < 4 * images; i++) {
      pixels.put((byte) (17 * i));
    }
    Files.write(folder.resolve("train-images-idx3-ubyte"), pixels.array());
    var classes = ByteBuffer.allocate(8 + labels).putInt(2049).putInt(labels);
    for (int i = 0; i < labels; i++) {
      classes.put((byte) (i == at ? label : i % 10));
    }
    Files.write(folder.resolve("train-labels-idx1-ubyte"), classes.array());
  }

  @Test
  void labelsMustMatchImages() throws IOException {
    writeIdx(folder, 12, 11, 0, 0);
    assertThatThrownBy(() -> open(Map.of()))
        .hasMessageContaining("train-labels-idx1-ubyte: ")
        .hasMessageContaining("12 images but it has 11");
  }

  @Test
  void takesValidationFromTheEndOfTheFile() throws IOException {
    writeIdx(folder, 12, 12, 0, 0);
    try (var training = open(Map.of())) {
      assertThat(training.shape().trainingSamples()).isEqualTo(10);
      assertThat(training.evaluations().getFirst().samples()).isEqualTo(2);
      assertThat(training.evaluations().getFirst().metrics()).doesNotContainKey("testAccuracy");
    }
    try (var training = open(Map.of("validationSamples", "5"))) {
      assertThat(training.shape().trainingSamples()).isEqualTo(7);
    }
    assertThatThrownBy(() -> open(Map.of("validationSamples", "12")))
        .hasMessageContaining("validationSamples must lie in [0, 11]")
        .hasMessageContaining("but is 12");
    writeIdx(folder, 5, 5, 0, 0);
    assertThatThrownBy(() -> open(Map.of()))
        .hasMessageContaining("at least 6 samples")
        .hasMessageContaining("it has 5");
  }

  @Test
  void testImagesHaveTheSidesOfTrainingImages() throws IOException {
    writeIdx(folder, 12, 12, 0, 0);
    Files.write(
        folder.resolve("t10k-images-idx3-ubyte"),
        ByteBuffer.allocate(20).putInt(2051).putInt(1).putInt(1).putInt(4).array());
    Files.write(
        folder.resolve("t10k-labels-idx1-ubyte"),
        ByteBuffer.allocate(9).putInt(2049).putInt(1).array());

    assertThatThrownBy(() -> open(Map.of()))
        .hasMessageContaining("t10k-images-idx3-ubyte: ")
        .hasMessageContaining("2 x 2 pixels as in the training file but they have 1 x 4");
  }

  /// Generated data have as many test samples as validation samples, as Fashion-MNIST has.
  @Test
  void partsThatJudgeBranchesLeaveTheTestSetOut() throws InterruptedException {
    var measured = new ArrayList<Set<String>>();
    Supplier<TrainingProgram> program =
        () ->
            new ForwardingProgram(program()) {
              @Override
              public Evaluation evaluate(ProgramContext context) {
                Evaluation evaluation = super.evaluate(context);
                measured.add(evaluation.metrics().keySet());
                return evaluation;
              }
            };
    Assignment assignment =
        LocalCrew.assignment(
            program().describe(),
            Map.of(),
            Optional.empty(),
            1,
            1,
            new HeldOut(32, 0.25, ProbeSource.VALIDATION),
            folder);
    try (var crew = new LocalCrew(program, UnaryOperator.identity(), assignment, 64 << 20)) {
      Setting setting = new SearchSpace(program().describe().tunables()).defaults();
      crew.execute(new BranchCommand.Create(BranchId.ROOT, setting), 1);
      crew.execute(new BranchCommand.Probe(BranchId.ROOT, 1, 32), 1);
      crew.execute(new BranchCommand.Evaluate(BranchId.ROOT, 2), 1);
    }
    var judged = Set.of("accuracy", "loss");
    assertThat(measured)
        .containsExactly(judged, judged, Set.of("accuracy", "loss", "testAccuracy"));
  }

  private LocalTraining open(Map<String, String> arguments) {
    return LocalTraining.of(this::program, arguments, Optional.of(folder), 1, 1);
  }

  @Test
  void layersAreTablesWithABiasRow() {
    try (var training = train(Map.of("hidden", "30,20"), 1, 1)) {
      assertThat(training.shape().tables())
          .extracting(table -> table.name() + " " + table.rows() + " x " + table.columns())
          .containsExactly("layer0 65 x 30", "layer1 31 x 20", "layer2 21 x 20");
    }
  }

  @Test
  void withoutHiddenLayersItIsSoftmaxRegression() {
    try (var training = train(Map.of("hidden", ""), 1, 1)) {
      assertThat(training.shape().tables()).hasSize(1);
      double before = training.clock();
      assertThat(training.epochs(1)).isLessThan(before);
    }
  }

  @Test
  void theSettingMatters() {
    assertThat(accuracy(0.03, 0.9)).isGreaterThan(0.8);
    assertThat(accuracy(0.0001, 0)).isLessThan(0.2);
    assertThat(accuracy(1, 0.99)).isLessThan(0.2);
  }

  private double accuracy(double learningRate, double momentum) {
    try (var training = train(Map.of(), 1, 1)) {
      training.with(Tunable.LEARNING_RATE, learningRate).with(Tunable.MOMENTUM, momentum);
      training.epochs(3);
      return training.metric("accuracy");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sgd", "adagrad", "adam", "adamw"})
  void trainsWithOtherRules(String rule) {
    var arguments = Map.of("optimizer", rule, "weightDecay", "0.001", "hidden", "32");
    try (var training = train(arguments, 1, 1)) {
      training.with(Tunable.LEARNING_RATE, rule.startsWith("adam") ? 0.003 : 0.03);
      double before = training.clock();
      assertThat(training.epochs(1)).isLessThan(0.9 * before);
    }
  }

  /// The third worker has no validation sample, and as many of the test set as the others.
  @Test
  void metricsOfWorkersAreWeightedByTheSamplesOfEach() {
    var few = Map.of("validationSamples", "2", "hidden", "8");
    try (var alone = train(few, 1, 1);
        var together = train(few, 3, 1)) {
      alone.epochs(1);
      together.set(alone.parameters());
      assertThat(together.metric("testAccuracy"))
          .isCloseTo(alone.metric("testAccuracy"), within(1e-6));
      assertThat(together.metric("loss")).isCloseTo(alone.metric("loss"), within(1e-6));
    }
  }

  @Test
  void learnsFashionMnist() {
    Path data = TestData.require("fashion-mnist");
    long start = System.nanoTime();
    try (var training = LocalTraining.of(this::program, Map.of(), Optional.of(data), 1, 1)) {
      double openSeconds = (System.nanoTime() - start) / 1e9;
      assertThat(training.shape().trainingSamples()).isEqualTo(50_000);
      training.with(Tunable.LEARNING_RATE, 0.02);
      training.epochs(1);
      assertThat(training.metric("accuracy")).isGreaterThan(0.83);
      assertThat(training.metric("testAccuracy")).isGreaterThan(0.83);
      assertThat(openSeconds).isLessThan(10);
    }
  }
}
