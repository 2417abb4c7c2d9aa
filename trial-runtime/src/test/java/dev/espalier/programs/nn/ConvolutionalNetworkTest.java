package dev.espalier.programs.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

final class ConvolutionalNetworkTest extends TrainingProgramContract {
  private static final int RECORD = 3073;

  @Override
  protected TrainingProgram program() {
    return new ConvolutionalNetwork();
  }

  @Override
  protected Map<String, String> quickArguments() {
    return Map.of("channels", "8", "hidden", "16");
  }

  @Override
  protected double goodLearningRate() {
    return 0.1;
  }

  @Override
  protected double lossFactor() {
    return 0.9;
  }

  @Override
  protected Map<String, String> smoothArguments() {
    return Map.of(
        "channels",
        "6,5",
        "hidden",
        "9",
        "activation",
        "tanh",
        "pooling",
        "mean",
        "weightDecay",
        "0.1");
  }

  @Override
  protected String[] writeBadData(Path folder) throws IOException {
    byte[] records = new byte[12 * RECORD];
    records[7 * RECORD] = 99;
    Files.write(folder.resolve("data_batch_1.bin"), records);
    return new String[] {"data_batch_1.bin", "byte " + 7 * RECORD, "[0, 9]", "99"};
  }

  @Test
  void aCutOffBatchFileIsRefused() throws IOException {
    Files.write(folder.resolve("data_batch_2.bin"), new byte[RECORD + 5]);
    assertThatThrownBy(() -> open(Map.of(), folder))
        .hasMessageContaining("data_batch_2.bin")
        .hasMessageContaining("byte 3078")
        .hasMessageContaining("records of 3073 bytes");
  }

  @Test
  void tooManyConvolutionsAreRefused() {
    assertThatThrownBy(() -> train(Map.of("channels", "4,4,4,4,4"), 1, 1))
        .hasMessageContaining("16 x 16 x 1 are 1 x 1 x 4 after 4");
    assertThatThrownBy(() -> train(Map.of("kernel", "4"), 1, 1))
        .hasMessageContaining("kernel must be odd but is 4");
  }

  @Test
  void layersAreTablesWithABiasRow() {
    try (var training = train(Map.of(), 1, 1)) {
      assertThat(training.shape().tables())
          .extracting(table -> table.name() + " " + table.rows() + " x " + table.columns())
          .containsExactly(
              "layer0 10 x 16", "layer1 145 x 32", "layer2 513 x 64", "layer3 65 x 10");
    }
  }

  @Test
  void theSettingMatters() {
    assertThat(accuracy(0.1)).isGreaterThan(0.75);
    assertThat(accuracy(0.00003)).isLessThan(0.2);
    assertThat(accuracy(1)).isLessThan(0.3);
  }

  private double accuracy(double learningRate) {
    try (var training = train(Map.of(), 1, 1)) {
      training.with(Tunable.LEARNING_RATE, learningRate);
      training.epochs(2);
      return training.metric("accuracy");
    }
  }

  @Test
  void learnsCifarImages() {
    Path data = TestData.require("cifar10-10k");
    try (var training = open(Map.of(), data)) {
      assertThat(training.shape().trainingSamples()).isEqualTo(8_334);
      training.with(Tunable.LEARNING_RATE, 0.02);
      training.epochs(1);
      assertThat(training.metric("accuracy")).isGreaterThan(0.25);
      assertThat(training.metric("testAccuracy")).isGreaterThan(0.25);
    }
  }

  private LocalTraining open(Map<String, String> arguments, Path data) {
    return LocalTraining.of(this::program, arguments, Optional.of(data), 1, 1);
  }
}
