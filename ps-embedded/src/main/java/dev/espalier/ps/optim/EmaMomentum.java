package dev.espalier.ps.optim;

import dev.espalier.ps.kernel.StepKernels;

/// Averaged momentum: `v = m v + (1 - m) g; w = w - lr v`.
///
/// Source: MLtuner (Cui, Ganger, Gibbons 2018) §5.1; there the size of a step does not depend on
/// `m`.
///
/// @param options the table's constants
public record EmaMomentum(RuleOptions options) implements UpdateRule {
  static final String NAME = "ema-momentum";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int stateArrays() {
    return 1;
  }

  @Override
  public <S> void step(StepKernels<S> kernels, S span, StepSize stepSize, long stepNumber) {
    float m = stepSize.momentumOr(options.momentum());
    kernels.momentum(span, stepSize.rate(), m, 1 - m);
  }
}
