package dev.espalier.programs.fm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
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

final class FactorizationMachineTest extends TrainingProgramContract {
  @Override
  protected TrainingProgram program() {
    return new FactorizationMachine();
  }

  @Override
  protected Map<String, String> quickArguments() {
    return Map.of("rank", "4");
  }

  @Override
  protected double goodLearningRate() {
    return 0.1;
  }

  @Override
  protected double lossFactor() {
    return 0.92;
  }

  @Override
  protected Map<String, String> smoothArguments() {
    return Map.of("rank", "4", "l2", "0.3", "initialDeviation", "0.3");
  }

  @Override
  protected String[] writeBadData(Path folder) throws IOException {
    String good = "1" + "\t1".repeat(13) + "\tab".repeat(26) + "\n";
    Files.writeString(folder.resolve("clicks"), good + good.replace("\tab\n", "\n"));
    return new String[] {"clicks", "line 2", "after the field 38"};
  }

  @Test
  void scoreIsThatOfEveryPair() throws IOException {
    Files.writeString(folder.resolve("toy"), "1 1:1 2:2 3:0.5\n");
    Files.writeString(folder.resolve("toy.t"), "1 1:1 2:2 3:0.5\n");
    var arguments = Map.of("format", "libsvm", "rank", "2", "l2", "0");
    try (var training = LocalTraining.of(this::program, arguments, Optional.of(folder), 1, 1)) {
      double[] x = {1, 2, 0.5};
      double[][] v = {{0.3, -0.2}, {0.1, 0.4}, {-0.5, 0.6}};
      double[] w = {0.2, -0.1, 0.7};
      double z = 0.25;
      training.set("bias", 0, 0.25f);
      for (int i = 0; i < 3; i++) {
        training.set("features", 3 * i, (float) v[i][0]);
        training.set("features", 3 * i + 1, (float) v[i][1]);
        training.set("features", 3 * i + 2, (float) w[i]);
        z += w[i] * x[i];
        for (int j = 0; j < i; j++) {
          z += (v[i][0] * v[j][0] + v[i][1] * v[j][1]) * x[i] * x[j];
        }
      }
      assertThat(training.metric("logLoss")).isCloseTo(Math.log1p(Math.exp(-z)), within(1e-6));
    }
  }

  @Test
  void factorsReachWhatALinearModelCannot() {
    assertThat(lossAfter(5, "4")).isLessThan(0.98 * lossAfter(5, "0"));
  }

  private double lossAfter(int epochs, String rank) {
    try (var training = train(Map.of("rank", rank), 1, 1)) {
      training.epochs(epochs);
      return training.metric("logLoss");
    }
  }

  @Test
  void tooFewClicksCannotBeSplit() throws IOException {
    Files.writeString(folder.resolve("clicks"), ("0" + "\t".repeat(39) + "\n").repeat(4));
    assertThatThrownBy(
            () -> LocalTraining.of(this::program, Map.of(), Optional.of(folder), 1, 1).close())
        .hasMessageContaining("at least 5 examples")
        .hasMessageContaining("it has 4");
  }

  @Test
  void comesNearTheReferenceOnClicks() {
    Path data = TestData.require("criteo-10k");
    try (var training =
        LocalTraining.of(
                this::program,
                Map.of("rank", "4", "hashBits", "15", "l2", "0.02"),
                Optional.of(data),
                1,
                1)
            .with(Tunable.LEARNING_RATE, 0.01)) {
      training.epochs(2);
      assertThat(training.shape().trainingSamples()).isEqualTo(8_000);
      assertThat(training.evaluations().getFirst().samples()).isEqualTo(2_000);
      assertThat(training.metric("logLoss")).isLessThan(0.48);
    }
  }
}
