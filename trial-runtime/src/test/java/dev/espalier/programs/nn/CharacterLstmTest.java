package dev.espalier.programs.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.Tunable;
import dev.espalier.programs.LocalTraining;
import dev.espalier.programs.TestData;
import dev.espalier.programs.TrainingProgramContract;
import dev.espalier.sdk.TrainingProgram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class CharacterLstmTest extends TrainingProgramContract {
  @Override
  protected TrainingProgram program() {
    return new CharacterLstm();
  }

  @Override
  protected Map<String, String> quickArguments() {
    return Map.of("units", "32", "embedding", "8", "length", "32");
  }

  @Override
  protected double goodLearningRate() {
    return 0.01;
  }

  @Override
  protected double lossFactor() {
    return 0.75;
  }

  @Override
  protected Map<String, String> smoothArguments() {
    return Map.of("units", "9,7", "embedding", "5", "length", "8", "weightDecay", "0.1");
  }

  @Override
  protected String[] writeBadData(Path folder) throws IOException {
    Files.writeString(folder.resolve("input.txt"), "too short");
    return new String[] {"input.txt", "at least 650 bytes", "64", "it has 9"};
  }

  @Test
  void theOnlyFileOfTheFolderIsTheText() throws IOException {
    Files.writeString(folder.resolve("a.txt"), "abcd ".repeat(20));
    try (var training = open(Map.of("length", "8"))) {
      assertThat(training.shape().trainingSamples()).isEqualTo(11);
      assertThat(training.shape().tables().getFirst().rows()).isEqualTo(5);
      assertThat(training.evaluations().getFirst().samples()).isEqualTo(8);
    }
    Files.writeString(folder.resolve("b.txt"), "b".repeat(100));
    assertThatThrownBy(() -> open(Map.of("length", "8")))
        .hasMessageContaining("a.txt")
        .hasMessageContaining("b.txt");
    try (var training = open(Map.of("length", "8", "text", "b.txt"))) {
      assertThat(training.shape().tables().getFirst().rows()).isEqualTo(1);
    }
  }

  @Test
  void oddLengthsAreRefused() {
    assertThatThrownBy(() -> train(Map.of("length", "33"), 1, 1))
        .hasMessageContaining("length must be an even number but is 33");
  }

  /// Each place of the validation part is judged once, from its start to the last whole stride.
  @Test
  void validationJudgesEveryCharacterOnce() {
    try (var training = train(Map.of("length", "32", "units", "4"), 1, 1)) {
      int validation = 12_000;
      int judged = training.evaluations().getFirst().samples();
      assertThat(judged).isBetween(validation - 1 - 16, validation - 1).isEqualTo(11_984);
    }
  }

  @Test
  void remembersWhatItSawBeforeTheLastCharacter() throws IOException {
    Files.writeString(folder.resolve("text"), "aabbb".repeat(2_000));
    try (var training = open(Map.of("length", "20", "units", "16"))) {
      training.with(Tunable.LEARNING_RATE, 0.01).epochs(4);
      assertThat(training.metric("accuracy")).isGreaterThan(0.99);
      assertThat(training.metric("loss")).isLessThan(0.05);
    }
  }

  @Test
  void beatsPairsOfCharactersOnShakespeare() {
    Path data = TestData.require("tinyshakespeare");
    var arguments = Map.of("units", "48", "embedding", "16");
    try (var training = LocalTraining.of(this::program, arguments, Optional.of(data), 1, 1)) {
      training.with(Tunable.LEARNING_RATE, 0.01);
      for (int clock = 0; clock < 250; clock++) {
        training.clock();
      }
      assertThat(training.metric("loss")).isLessThan(2.3);
    }
  }

  @Test
  void rowsOfTheEmbeddingAreNamedByTheirCharacters() {
    CharacterData data = CharacterData.of("a b\nB\u00ff".getBytes(StandardCharsets.ISO_8859_1));

    assertThat(IntStream.range(0, data.alphabet()).mapToObj(data::name))
        .containsExactly("0x0a", "0x20", "B", "a", "b", "0xff");
  }

  private LocalTraining open(Map<String, String> arguments) {
    return LocalTraining.of(this::program, arguments, Optional.of(folder), 1, 1);
  }
}
