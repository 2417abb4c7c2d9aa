package dev.espalier.ps.optim;

import dev.espalier.ps.kernel.StepKernels;

/// Adam with decoupled weight decay: `w = w - lr ((m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps) +
/// wd w)` with `m`, `v` as in Adam.
///
/// Source: Loshchilov and Hutter 2019, Algorithm 2, with the schedule multiplier in `lr`.
///
/// @param options the table's constants
public record AdamW(RuleOptions options) implements UpdateRule {
  static final String NAME = "adamw";

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
    kernels.adam(span, Adam.numbers(options, stepSize, stepNumber, (float) options.weightDecay()));
  }
}
