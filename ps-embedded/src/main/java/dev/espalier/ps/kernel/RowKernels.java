package dev.espalier.ps.kernel;

/// Arithmetic on rows of floats.
///
/// Element-wise operations give the same bits in every implementation (no fused multiply-add, same
/// order of operations); only the payload of a NaN and the rounding of [#dot] may differ. The
/// formulas of the update steps are in `dev.espalier.ps.optim`, one class each.
public interface RowKernels {

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

  /// Plain gradient step; no state.
  void sgd(StepSpan span, float learningRate);

  /// Momentum `v = m v + h g; w -= lr v`; state `v`.
  ///
  /// @param gradientWeight `h`: 1 for the common form, `1 - m` for the averaged form
  void momentum(StepSpan span, float learningRate, float momentum, float gradientWeight);

  /// Nesterov momentum; state `v`.
  void nesterov(StepSpan span, float learningRate, float momentum);

  /// AdaGrad; state: sum of squares.
  void adaGrad(StepSpan span, float learningRate, float epsilon);

  /// RMSProp; state: decayed mean of squares.
  void rmsProp(StepSpan span, float learningRate, float decay, float epsilon);

  /// Adam and AdamW; state: first and second moment.
  void adam(StepSpan span, AdamStep step);

  /// AdaDelta; state: decayed mean of squared gradients, decayed mean of squared steps.
  void adaDelta(StepSpan span, float learningRate, float decay, float epsilon);

  /// AdaptiveRevision; state: sum of gradients, `z - z0`, `z' - z0`.
  void adaRevision(StepSpan span, float learningRate, float initialAccumulator);

  /// Proximal gradient step with L1 and L2 penalties; no state.
  void proximalSgd(StepSpan span, float learningRate, float l1, float l2);

  /// Proximal AdaGrad step with L1 and L2 penalties; state: sum of squares.
  void proximalAdaGrad(StepSpan span, float learningRate, float epsilon, float l1, float l2);
}
