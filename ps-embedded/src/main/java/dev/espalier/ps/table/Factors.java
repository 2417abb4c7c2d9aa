package dev.espalier.ps.table;

import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.RowKernelsProvider;

/// A matrix of rank at most `samples` as the vectors it is the sum of products of: row `i`, column
/// `j` is the sum over `s` of `left[s x rows + i] * right[s x columns + j]`.
///
/// The gradient of a dense layer's weights for a batch is such a matrix, and for a small batch the
/// vectors are much smaller than it.
///
/// Source: Xie, Kim, Zhou, Ho, Kumar, Yu, Xing, "Lighter-Communication Distributed Machine Learning
/// via Sufficient Factor Broadcasting" (UAI 2016), section 3.
///
/// @param samples number of products, >= 1
/// @param rows of the matrix, >= 0
/// @param columns of the matrix, >= 1
/// @param left `samples x rows`
/// @param right `samples x columns`
public record Factors(int samples, int rows, int columns, float[] left, float[] right) {

  /// Checks the lengths.
  public Factors {
    if (samples < 1 || rows < 0 || columns < 1) {
      throw new IllegalArgumentException(
          "factors must satisfy samples >= 1, rows >= 0, columns >= 1 but are %d, %d, %d"
              .formatted(samples, rows, columns));
    }
    if (left.length != samples * rows || right.length != samples * columns) {
      throw new IllegalArgumentException(
          "factors must have %d and %d values but have %d and %d"
              .formatted(samples * rows, samples * columns, left.length, right.length));
    }
  }

  /// Values of the largest matrix that travels as vectors: whoever takes these few bytes must make
  /// it.
  public static final int MAX_VALUES = 1 << 29;

  /// Whether the vectors of so many products are smaller than the matrix, which is no larger than
  /// may travel as such.
  public static boolean areSmaller(int rows, int columns, int samples) {
    long values = (long) rows * columns;
    return values <= MAX_VALUES && samples * ((long) rows + columns) < values;
  }

  /// The factors of some of the rows.
  ///
  /// @param first of them
  /// @param count of them
  public Factors part(int first, int count) {
    if (first == 0 && count == rows) {
      return this;
    }
    float[] part = new float[samples * count];
    for (int s = 0; s < samples; s++) {
      System.arraycopy(left, s * rows + first, part, s * count, count);
    }
    return new Factors(samples, count, columns, part, right);
  }

  /// The matrix, `rows x columns`; every element is summed in the order of the samples.
  public float[] product() {
    RowKernels kernels = RowKernelsProvider.best();
    float[] product = new float[rows * columns];
    for (int row = 0; row < rows; row++) {
      for (int s = 0; s < samples; s++) {
        kernels.axpy(left[s * rows + row], right, s * columns, product, row * columns, columns);
      }
    }
    return product;
  }
}
