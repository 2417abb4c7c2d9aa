package dev.espalier.ps.kernel;

/// The arithmetic of the update rules, wherever the elements lie.
///
/// Every implementation gives the same bits (no fused multiply-add, same order of operations, roots
/// and quotients rounded correctly, subnormal numbers kept); only the payload of a NaN may differ.
/// The formulas are in `dev.espalier.ps.optim`, one class each.
///
/// @param <S> how elements to step are named: a run of one page on the host, many pages at once on
///   a device
public interface StepKernels<S> {

  /// Plain gradient step; no state.
  void sgd(S span, float learningRate);

  /// Momentum `v = m v + h g; w -= lr v`; state `v`.
  ///
  /// @param gradientWeight `h`: 1 for the common form, `1 - m` for the averaged form
  void momentum(S span, float learningRate, float momentum, float gradientWeight);

  /// Nesterov momentum; state `v`.
  void nesterov(S span, float learningRate, float momentum);

  /// AdaGrad; state: sum of squares.
  void adaGrad(S span, float learningRate, float epsilon);

  /// RMSProp; state: decayed mean of squares.
  void rmsProp(S span, float learningRate, float decay, float epsilon);

  /// Adam and AdamW; state: first and second moment.
  void adam(S span, AdamStep step);

  /// AdaDelta; state: decayed mean of squared gradients, decayed mean of squared steps.
  void adaDelta(S span, float learningRate, float decay, float epsilon);

  /// AdaptiveRevision; state: sum of gradients, `z - z0`, `z' - z0`.
  void adaRevision(S span, float learningRate, float initialAccumulator);

  /// Proximal gradient step with L1 and L2 penalties; no state.
  void proximalSgd(S span, float learningRate, float l1, float l2);

  /// Proximal AdaGrad step with L1 and L2 penalties; state: sum of squares.
  void proximalAdaGrad(S span, float learningRate, float epsilon, float l1, float l2);
}
