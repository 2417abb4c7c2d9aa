package dev.espalier.programs.mf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class MatrixFactorizationTest extends TrainingProgramContract {
  @Override
  protected TrainingProgram program() {
    return new MatrixFactorization();
  }

  @Override
  protected Map<String, String> quickArguments() {
    return Map.of("rank", "5");
  }

  @Override
  protected double goodLearningRate() {
    return 0.1;
  }

  @Override
  protected double lossFactor() {
    return 0.8;
  }

  @Override
  protected Map<String, String> smoothArguments() {
    return Map.of("rank", "4", "l2", "0.2");
  }

  @Override
  protected String[] writeBadData(Path folder) throws IOException {
    Files.writeString(folder.resolve("u1.base"), "1\t1\t5\t1\n1\t2\tNaN\t1\n");
    Files.writeString(folder.resolve("u1.test"), "1\t1\t5\t1\n");
    return new String[] {"u1.base", "line 2", "rating must be finite", "NaN"};
  }

  private LocalTraining open(Path data, String split) {
    return LocalTraining.of(this::program, Map.of("split", split), Optional.of(data), 1, 1);
  }

  @Test
  void coversUsersAndItemsOfBothParts() throws IOException {
    Files.writeString(folder.resolve("u2.base"), "1\t7\t5\t1\n3\t2\t4\t1\n");
    Files.writeString(folder.resolve("u2.test"), "9\t1\t5\t1\n");
    try (var training = open(folder, "u2")) {
      assertThat(training.shape().tables())
          .extracting(table -> table.name() + " " + table.rows() + " x " + table.columns())
          .containsExactly("users 9 x 21", "items 7 x 21");
      assertThat(training.shape().trainingSamples()).isEqualTo(2);
    }
  }

  @Test
  void holdsBackATenthOfAnUnsplitFile() throws IOException {
    var lines = new StringBuilder("userId,movieId,rating,timestamp\n");
    for (int i = 0; i < 50; i++) {
      lines.append(1 + i % 7).append(',').append(1 + i % 5).append(",3.5,12\n");
    }
    Files.writeString(folder.resolve("ratings.csv"), lines);
    for (String split : new String[] {"auto", "random"}) {
      try (var training = open(folder, split)) {
        assertThat(training.shape().trainingSamples()).isEqualTo(45);
        assertThat(training.evaluations().getFirst().samples()).isEqualTo(5);
      }
    }
  }

  @Test
  void namesTheFilesThatAreMissing() {
    assertMissing("u3", "u3.base");
    assertMissing("random", "u.data");
    assertMissing("auto", "u.data");
  }

  private void assertMissing(String split, String name) {
    assertThatThrownBy(() -> open(folder, split))
        .isInstanceOfSatisfying(
            EspalierException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_DATA))
        .hasMessageContaining(folder.toString())
        .hasMessageContaining(name);
  }

  @Test
  void predictionsAreClippedToTheRangeOfTheRatings() throws IOException {
    Files.writeString(folder.resolve("u1.base"), "1\t1\t5\t1\n2\t2\t1\t1\n");
    Files.writeString(folder.resolve("u1.test"), "1\t1\t5\t1\n");
    try (var training = open(folder, "u1")) {
      training.set("users", 20, 1000f);
      assertThat(training.metric("rmse")).isZero();
      training.set("users", 20, -1000f);
      assertThat(training.metric("rmse")).isCloseTo(4, within(1e-9));
    }
  }

  @ParameterizedTest
  @CsvSource({"adagrad, 0.1", "adam, 0.006", "adarevision, 0.1"})
  void reachesThePublishedErrorOnMovieLens(String optimizer, double learningRate) {
    Path data = TestData.require("movielens-100k");
    var arguments = Map.of("optimizer", optimizer);
    try (var training =
        LocalTraining.of(this::program, arguments, Optional.of(data), 1, 1)
            .with(Tunable.LEARNING_RATE, learningRate)) {
      training.epochs(8);
      assertThat(training.shape().trainingSamples()).isEqualTo(80_000);
      assertThat(training.metric("rmse")).isLessThan(0.94);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void sampleSgdIsRepeatableOnAnyNumberOfThreads(int threads) {
    var arguments =
        Map.of("optimizer", "sample-sgd", "threads", "" + threads, "rank", "8", "l2", "0.05");
    List<Map<String, float[]>> models = new ArrayList<>();
    for (int run = 0; run < 2; run++) {
      try (var training =
          LocalTraining.of(this::program, arguments, Optional.empty(), 1, 1)
              .with(Tunable.LEARNING_RATE, 0.05)
              .with(Tunable.BATCH_SIZE, 16_384)) {
        training.epochs(8);
        assertThat(training.metric("rmse")).isLessThan(0.8);
        models.add(training.parameters());
      }
    }
    for (String table : List.of("users", "items")) {
      for (Map<String, float[]> again : models.subList(1, models.size())) {
        // A comparison that would print it all says nothing.
        assertThat(Arrays.equals(again.get(table), models.getFirst().get(table))).isTrue();
      }
    }
  }
}
