package dev.espalier.ps.optim;

import dev.espalier.ps.kernel.AdamStep;
import dev.espalier.ps.kernel.StepKernels;

/// Adam: `m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w = w - lr (m / (1 - b1^t)) / (sqrt(v /
/// (1 - b2^t)) + eps)`.
///
/// Source: Kingma and Ba 2015, Algorithm 1; `b1` is the setting's momentum, `t` counts the steps of
/// the table on the branch and its ancestors. Rows of a sparse table that are not pushed do not
/// decay (lazy rows), but `t` moves on.
///
/// @param options the table's constants
public record Adam(RuleOptions options) implements UpdateRule {
  static final String NAME = "adam";

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
    kernels.adam(span, numbers(options, stepSize, stepNumber, 0));
  }

  /// The numbers of one step, bias corrections computed in double: moments are multiplied by them,
  /// for divisions and roots are what a step computes longest at.
  static AdamStep numbers(
      RuleOptions options, StepSize stepSize, long stepNumber, float weightDecay) {
    float beta1 = stepSize.momentumOr(options.momentum());
    float beta2 = (float) options.beta2();
    return new AdamStep(
        stepSize.rate(),
        beta1,
        beta2,
        (float) options.epsilon(),
        (float) (1 / (1 - Math.pow(beta1, stepNumber))),
        (float) (1 / (1 - Math.pow(beta2, stepNumber))),
        weightDecay);
  }
}
