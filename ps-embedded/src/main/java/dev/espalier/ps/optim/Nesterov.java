package dev.espalier.ps.optim;

import dev.espalier.ps.kernel.StepKernels;

/// Nesterov momentum: `v = m v + g; w = w - lr (g + m v)`.
///
/// Source: Nesterov 1983, in the form of Bengio et al. 2013 (parameters kept at the look-ahead
/// point).
///
/// @param options the table's constants
public record Nesterov(RuleOptions options) implements UpdateRule {
  static final String NAME = "nesterov";

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
    kernels.nesterov(span, stepSize.rate(), stepSize.momentumOr(options.momentum()));
  }
}
