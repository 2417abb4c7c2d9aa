package dev.espalier.programs.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;

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

  @Test
  void agreesWithThreeNestedLoops() {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    var gemm = new Gemm();
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
  void carriesNanToItsRowAndNoFurther() {
    var a = Matrix.rowMajor(new float[] {1, Float.NaN, 1, 1, 1, 1}, 3, 2);
    var b = Matrix.rowMajor(new float[] {1, 2, 3, 4}, 2, 2);
    float[] c = new float[6];
    new Gemm().addProduct(a, b, Matrix.rowMajor(c, 3, 2));
    assertThat(c).containsExactly(Float.NaN, Float.NaN, 4, 6, 4, 6);
  }

  @Test
  void refusesShapesThatDoNotFit() {
    var a = Matrix.rowMajor(new float[6], 3, 2);
    assertThatThrownBy(() -> new Gemm().addProduct(a, a, a)).hasMessageContaining("(3 x 2)(3 x 2)");
  }
}
