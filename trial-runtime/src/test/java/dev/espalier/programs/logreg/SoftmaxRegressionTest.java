package dev.espalier.programs.logreg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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

final class SoftmaxRegressionTest extends TrainingProgramContract {
  @Override
  protected TrainingProgram program() {
    return new SoftmaxRegression();
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
    Files.writeString(folder.resolve("train.feat"), "1 1:1\n2 2:1 1:3 2:1\n");
    Files.writeString(folder.resolve("test.feat"), "1 1:1\n");
    return new String[] {"train.feat", "line 2", "index must occur once but 2 occurs twice"};
  }

  @Test
  void twoClassesAreLogisticRegression() throws IOException {
    Files.writeString(folder.resolve("train.feat"), "0 1:1\n1 1:2 2:1\n");
    Files.writeString(folder.resolve("test.feat"), "1 2:1 1:2\n");
    try (var training =
        LocalTraining.of(this::program, Map.of("values", "plain"), Optional.of(folder), 1, 1)) {
      training.set("weights", 0, 0.5f);
      training.set("weights", 3, 0.25f);
      training.set("bias", 1, 0.1f);
      double z = 0.25 + 0.1 - 2 * 0.5;
      assertThat(training.metric("logLoss")).isCloseTo(Math.log1p(Math.exp(-z)), within(1e-6));
      assertThat(training.metric("accuracy")).isZero();
    }
  }

  @Test
  void reachesTheReferenceOnNewsgroups() {
    Path data = TestData.require("20news-bow");
    try (var training =
        LocalTraining.of(this::program, Map.of(), Optional.of(data), 1, 1)
            .with(Tunable.LEARNING_RATE, 0.3)) {
      training.epochs(6);
      assertThat(training.shape().trainingSamples()).isEqualTo(11_268);
      assertThat(training.evaluations().getFirst().samples()).isEqualTo(7_505);
      assertThat(training.metric("accuracy")).isGreaterThan(0.67);
    }
  }
}
