package dev.espalier.ps.optim;

import dev.espalier.ps.kernel.StepKernels;

/// RMSProp: `a = rho a + (1 - rho) g^2; w = w - lr g / (sqrt(a) + eps)`.
///
/// Source: Tieleman and Hinton 2012, lecture 6.5; `rho` is [RuleOptions#decay].
///
/// @param options the table's constants
public record RmsProp(RuleOptions options) implements UpdateRule {
  static final String NAME = "rmsprop";

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
    kernels.rmsProp(span, stepSize.rate(), (float) options.decay(), (float) options.epsilon());
  }
}
