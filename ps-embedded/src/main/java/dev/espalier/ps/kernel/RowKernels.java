package dev.espalier.ps.kernel;

/// Arithmetic on rows of floats.
///
/// Element-wise operations give the same bits in every implementation (no fused multiply-add, same
/// order of operations); only the payload of a NaN and the rounding of [#dot] may differ.
public interface RowKernels extends StepKernels<StepSpan> {

  /// Name of this implementation, for logs.
  String name();

  /// `y += x`.
  void add(float[] x, int xOffset, float[] y, int yOffset, int length);

  /// `y += a x`, rounded after the product and after the sum.
  void axpy(float a, float[] x, int xOffset, float[] y, int yOffset, int length);

  /// `x *= a`.
  void scale(float a, float[] x, int offset, int length);

  /// Inner product of `x` and `y`; the order of the additions is up to the implementation.
  float dot(float[] x, int xOffset, float[] y, int yOffset, int length);
}
