package dev.espalier.ps.kernel;

import java.lang.foreign.MemorySegment;

/// Arithmetic on rows of floats.
///
/// Element-wise operations give the same bits in every implementation (no fused multiply-add, same
/// order of operations); only the payload of a NaN and the rounding of [#dot] may differ.
public interface RowKernels extends StepKernels<StepSpan> {

  /// Name of this implementation, for logs.
  String name();

  /// The same steps for fresh pages that no cache holds and that are not read soon; these, where
  /// the machine has no better way.
  default StepKernels<StepSpan> streaming() {
    return this;
  }

  /// `y += x`.
  void add(float[] x, int xOffset, float[] y, int yOffset, int length);

  /// `y += x`, off heap.
  ///
  /// @param yOffset in bytes
  void add(float[] x, int xOffset, MemorySegment y, long yOffset, int length);

  /// `y += a x`, rounded after the product and after the sum.
  void axpy(float a, float[] x, int xOffset, float[] y, int yOffset, int length);

  /// `x *= a`.
  void scale(float a, float[] x, int offset, int length);

  /// Copies rows together: `to[k] = from[places[first + k]]`, row by row.
  ///
  /// @param places of rows in `from`, in rows; a complemented place counts as the place itself
  /// @param first index in `places` of the first row
  /// @param count number of rows
  /// @param columns floats per row
  void gather(
      float[] from, int[] places, int first, int count, int columns, float[] to, int toOffset);

  /// Copies bytes from one place to another that does not overlap it; short ones too, as rows are.
  void copy(MemorySegment from, long fromOffset, MemorySegment to, long toOffset, long bytes);

  /// Copies rows that lie apart side by side.
  ///
  /// @param pages of each row
  /// @param offsets of each row in its page, in bytes
  /// @param shift what is added to every offset
  /// @param count number of rows
  /// @param columns floats per row
  /// @param to memory that overlaps none of them
  /// @param toOffset of the first row, in bytes
  void gatherRows(
      MemorySegment[] pages,
      long[] offsets,
      long shift,
      int count,
      int columns,
      MemorySegment to,
      long toOffset);

  /// Copies rows that lie side by side to where [#gatherRows] has them from.
  void scatterRows(
      MemorySegment from,
      long fromOffset,
      MemorySegment[] pages,
      long[] offsets,
      long shift,
      int count,
      int columns);

  /// Copies floats into an array; few ones too, as those of a row are.
  ///
  /// @param fromOffset in bytes
  void load(MemorySegment from, long fromOffset, float[] to, int toOffset, int length);

  /// Adds rows apart: `to[places[first + k]] += from[k]`, row by row in their order, so that places
  /// may repeat; a complemented place is stored to instead.
  ///
  /// @param places of rows in `to`, in rows
  /// @param first index in `places` of the first row
  /// @param count number of rows
  /// @param columns floats per row
  void scatterAdd(
      float[] from, int fromOffset, int[] places, int first, int count, int columns, float[] to);

  /// Inner product of `x` and `y`; the order of the additions is up to the implementation.
  float dot(float[] x, int xOffset, float[] y, int yOffset, int length);
}
