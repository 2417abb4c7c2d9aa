package dev.espalier.programs.logreg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.data.SparseExamples;
import dev.espalier.programs.binary.LogLoss;
import dev.espalier.sdk.OpenRows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogisticStepsTest {
  private static final int FEATURES = 50;

  private static OpenRows open(MemorySegment values, int rows, int rowsPerPage) {
    return new OpenRows(
        rows,
        1,
        rowsPerPage,
        new OpenRows.Pages() {
          @Override
          public long address(int page) {
            return values.address() + 4L * page * rowsPerPage;
          }

          @Override
          public void close() {}
        });
  }

  /// Against the formulas in doubles, example by example.
  @ParameterizedTest
  @ValueSource(ints = {7, FEATURES})
  void stepsAreThoseOfTheFormula(int rowsPerPage) {
    SparseExamples examples = RandomExamples.of(400, FEATURES);
    int[] samples = IntStream.range(0, 400).map(i -> 399 - i).toArray();
    double rate = 0.3;
    double l2 = 0.01;
    double[] w = new double[FEATURES];
    double b = 0;
    double loss = 0;
    for (int sample : samples) {
      double z = b;
      for (int e = examples.starts()[sample]; e < examples.starts()[sample + 1]; e++) {
        z += w[examples.indices()[e]] * examples.values()[e];
      }
      int label = examples.labels()[sample];
      loss += LogLoss.of(z, label);
      double g = LogLoss.sigmoid(z) - label;
      for (int e = examples.starts()[sample]; e < examples.starts()[sample + 1]; e++) {
        int j = examples.indices()[e];
        w[j] = (1 - rate * l2) * w[j] - rate * g * examples.values()[e];
      }
      b -= rate * g;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment weights = arena.allocate(4 * FEATURES, 64);
      MemorySegment bias = arena.allocate(4, 64);
      try (OpenRows openWeights = open(weights, FEATURES, rowsPerPage);
          OpenRows openBias = open(bias, 1, 1)) {
        assertThat(
                LogisticSteps.take(
                    openWeights, openBias, examples, samples, 0, 400, (float) rate, (float) l2))
            .isCloseTo(loss, within(1e-3));
      }
      for (int j = 0; j < FEATURES; j++) {
        assertThat((double) weights.getAtIndex(ValueLayout.JAVA_FLOAT, j))
            .isCloseTo(w[j], within(1e-4));
      }
      assertThat((double) bias.get(ValueLayout.JAVA_FLOAT, 0)).isCloseTo(b, within(1e-4));
    }
  }
}
