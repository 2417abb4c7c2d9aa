package dev.espalier.programs.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.nn.LayerSpec;
import dev.espalier.nn.NetworkSpec;
import dev.espalier.nn.Shape;
import dev.espalier.sdk.ProgramEnvironment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class NetworkTrainingTest {
  /// Values of an evaluation are at most 64 MiB, or those of one sequence.
  @Test
  void evaluatesFewerLongSequencesAtOnce() {
    assertThat(evaluationBatch(64, 128)).isEqualTo(64);
    assertThat(evaluationBatch(512, 128)).isEqualTo(35);
    assertThat(evaluationBatch(4096, 128)).isEqualTo(4);
    assertThat(evaluationBatch(8192, 512)).isEqualTo(1);
  }

  private static int evaluationBatch(int length, int units) {
    var spec =
        new NetworkSpec(
            new Shape(1, length, 1),
            List.of(new LayerSpec.Embedding(2, 32), new LayerSpec.Lstm(units)));
    var arguments = Map.of("optimizer", "adam", "weightDecay", "0", "engine", "java");
    var environment = new ProgramEnvironment(arguments, Optional.empty(), 0, 1, 1);
    try (var training = new NetworkTraining(spec, environment)) {
      return training.evaluationBatch(64);
    }
  }
}
