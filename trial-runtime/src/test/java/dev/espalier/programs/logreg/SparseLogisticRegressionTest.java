package dev.espalier.programs.logreg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Tunable;
import dev.espalier.programs.LocalTraining;
import dev.espalier.programs.TestData;
import dev.espalier.programs.TrainingProgramContract;
import dev.espalier.sdk.TrainingProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SparseLogisticRegressionTest extends TrainingProgramContract {
  @Override
  protected TrainingProgram program() {
    return new SparseLogisticRegression();
  }

  @Override
  protected Map<String, String> quickArguments() {
    return Map.of();
  }

  @Override
  protected double goodLearningRate() {
    return 0.3;
  }

  @Override
  protected double lossFactor() {
    return 0.8;
  }

  @Override
  protected Map<String, String> smoothArguments() {
    return Map.of("l2", "0.3");
  }

  @Override
  protected String[] writeBadData(Path folder) throws IOException {
    Files.writeString(folder.resolve("toy"), "1 1:1\n-1 2:1\n-1 0:1\n");
    Files.writeString(folder.resolve("toy.t"), "1 1:1\n");
    return new String[] {"toy", "line 3", "index must lie in [1, ", "but is 0"};
  }

  private LocalTraining open(Path data, Map<String, String> arguments) {
    return LocalTraining.of(this::program, arguments, Optional.of(data), 1, 1);
  }

  private void write(String... names) throws IOException {
    for (String name : names) {
      Files.writeString(folder.resolve(name), "1 1:1\n-1 2:1\n");
    }
  }

  @Test
  void findsTheOnlyPairOfFiles() throws IOException {
    write("notes", "a9a.gz", "a9a.t");
    try (var training = open(folder, Map.of())) {
      assertThat(training.shape().tables())
          .extracting(table -> table.name() + " " + table.rows() + " x " + table.columns())
          .containsExactly("weights 2 x 1", "bias 1 x 1");
    }
  }

  @Test
  void takesTheFilesThatAreNamed() throws IOException {
    write("one", "two", "three", "three.t", "four", "four.t");
    open(folder, Map.of("train", "one", "test", "two")).close();
    open(folder, Map.of("train", "four")).close();
    assertThatThrownBy(() -> open(folder, Map.of()))
        .hasMessageContaining(folder.toString())
        .hasMessageContaining("four, three");
    assertThatThrownBy(() -> open(folder, Map.of("train", "one")))
        .hasMessageContaining("one.t or one.t.gz");
    assertThatThrownBy(() -> open(folder, Map.of("test", "two")))
        .hasMessageContaining("argument train must be given");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../one", "/etc/passwd", "a/b", "a\\b", ".."})
  void refusesFileNamesThatLeaveTheFolder(String name) throws IOException {
    write("one", "one.t");
    assertThatThrownBy(() -> open(folder, Map.of("train", name)))
        .isInstanceOfSatisfying(
            EspalierException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_JOB));
    assertThatThrownBy(() -> open(folder, Map.of("train", "one", "test", name)))
        .isInstanceOfSatisfying(
            EspalierException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_JOB));
  }

  @Test
  void l1NeedsAProximalRule() {
    assertThatThrownBy(() -> train(Map.of("l1", "0.1", "optimizer", "adam"), 1, 1))
        .hasMessageContaining("l1 must be 0")
        .hasMessageContaining("adam");
  }

  @ParameterizedTest
  @CsvSource({"proximal-adagrad, 0.1", "proximal-sgd, 1"})
  void l1MakesWeightsExactlyZero(String optimizer, double learningRate) {
    assertThat(zeros(optimizer, learningRate, "0")).isZero();
    assertThat(zeros(optimizer, learningRate, "0.003")).isGreaterThan(300);
  }

  private long zeros(String optimizer, double learningRate, String l1) {
    try (var training = train(Map.of("optimizer", optimizer, "l1", l1), 1, 1)) {
      training.with(Tunable.LEARNING_RATE, learningRate).epochs(2);
      long zeros = 0;
      for (float weight : training.parameters().get("weights")) {
        zeros += weight == 0 ? 1 : 0;
      }
      return zeros;
    }
  }

  @Test
  void reachesThePublishedLossOnAdult() {
    Path data = TestData.require("a9a");
    try (var training = open(data, Map.of()).with(Tunable.LEARNING_RATE, 0.1)) {
      training.epochs(3);
      assertThat(training.shape().trainingSamples()).isEqualTo(32_561);
      assertThat(training.evaluations().getFirst().samples()).isEqualTo(16_281);
      assertThat(training.metric("logLoss")).isLessThan(0.33);
      assertThat(training.metric("accuracy")).isGreaterThan(0.845);
    }
  }
}
