package dev.espalier.ps.optim;

import dev.espalier.ps.kernel.StepKernels;

/// AdaGrad: `a = a + g^2; w = w - lr g / (sqrt(a) + eps)`.
///
/// Source: Duchi, Hazan, Singer 2011, diagonal form.
///
/// @param options the table's constants
public record AdaGrad(RuleOptions options) implements UpdateRule {
  static final String NAME = "adagrad";

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
    kernels.adaGrad(span, stepSize.rate(), (float) options.epsilon());
  }
}
