package dev.espalier.ps.optim;

import dev.espalier.ps.kernel.StepKernels;

/// Proximal AdaGrad step for L1 and L2 penalties: `a = a + g^2; h = lr / (sqrt(a) + eps); u = w - h
/// g; w = sign(u) max(|u| - h l1, 0) / (1 + h l2)`.
///
/// Source: Duchi, Hazan, Singer 2011, §5 (composite mirror descent). Only pushed rows shrink.
///
/// @param options the table's constants
public record ProximalAdaGrad(RuleOptions options) implements UpdateRule {
  static final String NAME = "proximal-adagrad";

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
    kernels.proximalAdaGrad(
        span,
        stepSize.rate(),
        (float) options.epsilon(),
        (float) options.l1(),
        (float) options.l2());
  }
}
