package dev.espalier.ps.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LargeArraysTest {
  private static final int FROM = 3;
  private static final int TO = 5;

  /// Some that one core does, and some that are shared.
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 1000, (1 << 21) - 1, 1 << 21, (1 << 22) + 13})
  void copiesAndSumsAreThoseOfOneCore(int length) {
    float[] from = new float[length + 8];
    for (int i = 0; i < from.length; i++) {
      from[i] = i % 8191;
    }
    float[] to = new float[length + 8];
    Arrays.fill(to, -1);
    float[] expected = to.clone();
    System.arraycopy(from, FROM, expected, TO, length);

    LargeArrays.copy(from, FROM, to, TO, length);
    assertThat(Arrays.equals(to, expected)).as("copied").isTrue();

    for (int i = 0; i < length; i++) {
      expected[TO + i] += from[FROM + i];
    }
    LargeArrays.add(RowKernelsProvider.best(), from, FROM, to, TO, length);
    assertThat(Arrays.equals(to, expected)).as("added").isTrue();
  }
}
