package dev.espalier.ps.optim;

import dev.espalier.ps.kernel.StepKernels;

/// Stochastic gradient descent: `w = w - lr g`.
///
/// Source: Robbins and Monro 1951. There is no weight decay here; a penalty is part of the
/// gradient.
public record Sgd() implements UpdateRule {
  static final String NAME = "sgd";

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
    kernels.sgd(span, stepSize.rate());
  }
}
