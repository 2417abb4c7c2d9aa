package dev.espalier.ps.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ValueCodeTest {
  private static float[] values(int count, long seed) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(-6, 4)));
    }
    return values;
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FLOAT32")
  void projectedValuesComeBackBitForBit(ValueCode code) {
    for (int columns : new int[] {1, 3, 31, 32, 33, 200}) {
      for (int rows : new int[] {1, 2, 7, 64, 1100}) {
        float[] values = values(rows * columns, columns);
        values[rows * columns / 2] = rows == 64 ? Float.NaN : values[0];
        code.project(values, columns);
        byte[] coded = code.encode(values, columns);
        assertThat(coded).hasSize((int) code.bytes(values.length, columns));
        float[] back = new float[values.length];
        code.decode(coded, back, columns);
        assertThat(Arrays.mismatch(back, values)).as("%d x %d", rows, columns).isEqualTo(-1);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void projectingTwiceChangesNothing(ValueCode code) {
    float[] once = values(640, 3);
    code.project(once, 64);
    float[] twice = once.clone();
    code.project(twice, 64);
    assertThat(twice).usingComparatorWithPrecision(1e-4f).containsExactly(once);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "FLOAT32")
  void aNotANumberShows(ValueCode code) {
    float[] values = values(64, 4);
    values[5] = Float.NaN;
    code.project(values, 64);
    float[] back = new float[64];
    code.decode(code.encode(values, 64), back, 64);
    assertThat(back[5]).isNaN();
  }

  @Test
  void sixteenBitsRoundToNearest() {
    float[] values = {1f, 1.00390625f, -3.14159f, 1e-30f, 70000f, 0f, -0f};
    float[] brain = values.clone();
    ValueCode.BFLOAT16.project(brain, 1);
    assertThat(brain).startsWith(1f, 1f, -3.140625f).endsWith(0f, -0f);
    assertThat(brain[3]).isCloseTo(1e-30f, Percentage.withPercentage(0.4));
    float[] half = values.clone();
    ValueCode.FLOAT16.project(half, 1);
    assertThat(half).containsExactly(1f, 1.00390625f, -3.140625f, 0f, 65504f, 0f, -0f);
  }

  @Test
  void oneBitKeepsTheMeansOfBothSides() {
    float[] values = new float[32];
    for (int i = 0; i < 32; i++) {
      values[i] = i % 2 == 0 ? i : -1;
    }
    ValueCode.ONE_BIT.project(values, 32);
    assertThat(values[0]).isEqualTo(15);
    assertThat(values[1]).isEqualTo(-1);
    assertThat(ValueCode.ONE_BIT.bytes(32, 32)).isEqualTo(8 + 4);
  }

  @Test
  void oneBitDoesNotMixColumnsOfTallBatches() {
    float[] values = new float[3 * 2000];
    for (int row = 0; row < 2000; row++) {
      values[3 * row] = row % 2 == 0 ? 100 : -50;
      values[3 * row + 1] = row < 1024 ? 1 : 2;
      values[3 * row + 2] = -0.001f;
    }
    float[] projected = values.clone();
    ValueCode.ONE_BIT.project(projected, 3);
    assertThat(Arrays.mismatch(projected, values)).isEqualTo(-1);
    assertThat(ValueCode.ONE_BIT.bytes(values.length, 3))
        .isEqualTo(3 * (8 + 1024 / 8) + 3 * (8 + 976 / 8));
  }
}
