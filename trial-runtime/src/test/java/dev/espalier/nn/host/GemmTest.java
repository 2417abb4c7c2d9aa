package dev.espalier.nn.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class GemmTest {
  private static Matrix random(Random random, int rows, int columns, boolean transposed) {
    int padding = random.nextInt(3);
    float[] values = new float[rows * columns + padding];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return transposed
        ? new Matrix(values, padding, rows, columns, 1, rows)
        : new Matrix(values, padding, rows, columns, columns, 1);
  }

  private static double at(Matrix m, int i, int j) {
    return m.values()[m.offset() + i * m.rowStride() + j * m.columnStride()];
  }

  private static double[] threeLoops(Matrix a, Matrix b, Matrix c) {
    double[] sums = new double[c.rows() * c.columns()];
    for (int i = 0; i < c.rows(); i++) {
      for (int j = 0; j < c.columns(); j++) {
        double sum = at(c, i, j);
        for (int k = 0; k < a.columns(); k++) {
          sum += at(a, i, k) * at(b, k, j);
        }
        sums[i * c.columns() + j] = sum;
      }
    }
    return sums;
  }

  static List<Gemm> products() {
    return List.of(new PlainGemm(), new VectorGemm());
  }

  @ParameterizedTest
  @MethodSource("products")
  void agreesWithThreeNestedLoops(Gemm gemm) {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    int[] sizes = {1, 2, 3, 4, 5, 7, 10, 64, 255, 256, 257, 300};
    for (int trial = 0; trial < 60; trial++) {
      int m = sizes[random.nextInt(sizes.length)];
      int n = sizes[random.nextInt(sizes.length)];
      int k = sizes[random.nextInt(sizes.length)];
      Matrix a = random(random, m, k, random.nextBoolean());
      Matrix b = random(random, k, n, random.nextBoolean());
      Matrix c = random(random, m, n, false);
      double[] expected = threeLoops(a, b, c);
      gemm.addProduct(a, b, c);
      double worst = 0;
      for (int i = 0; i < m * n; i++) {
        worst = Math.max(worst, Math.abs(c.values()[c.offset() + i] - expected[i]));
      }
      assertThat(worst).as("seed %d: %d x %d x %d", seed, m, n, k).isLessThan(2e-5 * k + 1e-5);
    }
  }

  @Test
  void vectorsGiveTheSameBits() {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    int[] sizes = {1, 3, 8, 9, 15, 16, 17, 31, 32, 33, 48, 64, 100, 257};
    var plain = new PlainGemm();
    var vector = new VectorGemm();
    for (int trial = 0; trial < 200; trial++) {
      int m = sizes[random.nextInt(sizes.length)];
      int n = sizes[random.nextInt(sizes.length)];
      int k = sizes[random.nextInt(sizes.length)] * (1 + random.nextInt(3));
      Matrix a = random(random, m, k, random.nextBoolean());
      Matrix b = random(random, k, n, random.nextBoolean());
      Matrix c = random(random, m, n, false);
      var same = new Matrix(c.values().clone(), c.offset(), m, n, n, 1);
      plain.addProduct(a, b, c);
      vector.addProduct(a, b, same);
      assertThat(same.values()).as("seed %d: %d x %d x %d", seed, m, n, k).isEqualTo(c.values());
    }
  }

  @Test
  void rowsOfTheFirstFactorMayOverlap() {
    var a = new Matrix(new float[] {1, 2, 3, 4, 5}, 0, 3, 3, 1, 1);
    float[] c = new float[3];
    new VectorGemm()
        .addProduct(a, Matrix.rowMajor(new float[] {1, 10, 100}, 3, 1), Matrix.rowMajor(c, 3, 1));
    assertThat(c).containsExactly(321, 432, 543);
  }

  @ParameterizedTest
  @MethodSource("products")
  void carriesNanToItsRowAndNoFurther(Gemm gemm) {
    var a = Matrix.rowMajor(new float[] {1, Float.NaN, 1, 1, 1, 1}, 3, 2);
    var b = Matrix.rowMajor(new float[] {1, 2, 3, 4}, 2, 2);
    float[] c = new float[6];
    gemm.addProduct(a, b, Matrix.rowMajor(c, 3, 2));
    assertThat(c).containsExactly(Float.NaN, Float.NaN, 4, 6, 4, 6);
  }

  @ParameterizedTest
  @MethodSource("products")
  void refusesShapesThatDoNotFit(Gemm gemm) {
    var a = Matrix.rowMajor(new float[6], 3, 2);
    assertThatThrownBy(() -> gemm.addProduct(a, a, a)).hasMessageContaining("(3 x 2)(3 x 2)");
  }
}
