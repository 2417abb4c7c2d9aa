package dev.espalier.nn.host;

/// Rows of equal width in flat arrays.
final class Rows {
  private Rows() {}

  /// Writes one row `count` times.
  static void fill(float[] row, int rowFrom, float[] target, int from, int count, int columns) {
    for (int i = 0; i < count; i++) {
      System.arraycopy(row, rowFrom, target, from + i * columns, columns);
    }
  }

  /// Adds the sum of `count` rows to one row.
  static void addSum(float[] values, int from, int count, float[] sum, int sumFrom, int columns) {
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < columns; j++) {
        sum[sumFrom + j] += values[from + i * columns + j];
      }
    }
  }
}
