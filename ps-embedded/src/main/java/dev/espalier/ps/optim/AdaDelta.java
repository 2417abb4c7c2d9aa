package dev.espalier.ps.optim;

import dev.espalier.ps.kernel.StepKernels;

/// AdaDelta: `a = rho a + (1 - rho) g^2; d = g sqrt(x + eps) / sqrt(a + eps); x = rho x + (1 - rho)
/// d^2; w = w - lr d`.
///
/// Source: Zeiler 2012, Algorithm 1, which has `lr = 1`; `rho` is [RuleOptions#decay].
///
/// @param options the table's constants
public record AdaDelta(RuleOptions options) implements UpdateRule {
  static final String NAME = "adadelta";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int stateArrays() {
    return 2;
  }

  @Override
  public <S> void step(StepKernels<S> kernels, S span, StepSize stepSize, long stepNumber) {
    kernels.adaDelta(span, stepSize.rate(), (float) options.decay(), (float) options.epsilon());
  }
}
