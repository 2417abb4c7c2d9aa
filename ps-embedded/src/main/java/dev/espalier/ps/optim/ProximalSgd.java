package dev.espalier.ps.optim;

import dev.espalier.ps.kernel.StepKernels;

/// Proximal gradient step for L1 and L2 penalties: `u = w - lr g; w = sign(u) max(|u| - lr l1, 0) /
/// (1 + lr l2)`.
///
/// Source: Duchi and Singer 2009 (FOBOS), §5. Only pushed rows shrink.
///
/// @param options the table's constants
public record ProximalSgd(RuleOptions options) implements UpdateRule {
  static final String NAME = "proximal-sgd";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int stateArrays() {
    return 0;
  }

  @Override
  public <S> void step(StepKernels<S> kernels, S span, StepSize stepSize, long stepNumber) {
    kernels.proximalSgd(span, stepSize.rate(), (float) options.l1(), (float) options.l2());
  }
}
