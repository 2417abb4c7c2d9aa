package dev.espalier.nn.host;

/// A view of a float array as a matrix.
///
/// Entry (i, j) lies at `offset + i rowStride + j columnStride`.
record Matrix(float[] values, int offset, int rows, int columns, int rowStride, int columnStride) {

  /// {@return a rows x columns matrix that lies row by row from the start of `values`}
  static Matrix rowMajor(float[] values, int rows, int columns) {
    return new Matrix(values, 0, rows, columns, columns, 1);
  }

  Matrix transposed() {
    return new Matrix(values, offset, columns, rows, columnStride, rowStride);
  }
}
