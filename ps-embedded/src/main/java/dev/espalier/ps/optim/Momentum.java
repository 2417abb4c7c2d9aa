package dev.espalier.ps.optim;

import dev.espalier.ps.kernel.StepKernels;

/// Heavy-ball momentum: `v = m v + g; w = w - lr v`.
///
/// Source: Polyak 1964, in the form of Sutskever et al. 2013 with the learning rate outside.
///
/// @param options the table's constants
public record Momentum(RuleOptions options) implements UpdateRule {
  static final String NAME = "momentum";

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
    kernels.momentum(span, stepSize.rate(), stepSize.momentumOr(options.momentum()), 1);
  }
}
