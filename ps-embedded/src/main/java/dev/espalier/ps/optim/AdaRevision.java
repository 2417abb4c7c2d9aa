package dev.espalier.ps.optim;

import dev.espalier.ps.kernel.StepKernels;

/// AdaptiveRevision, AdaGrad for delayed gradients.
///
/// With `G` the sum of all gradients applied, `G_old` its value when the worker read, and `b = G -
/// G_old` what the worker had not seen: `eta_old = lr / sqrt(z'); z = z + g^2 + 2 g b; z' = max(z,
/// z'); eta = lr / sqrt(z'); w = w - eta g + (eta_old - eta) b; G = G + g`, with `z = z' = z0` in
/// the beginning. At staleness 0 nothing is missed, `b = 0`, and the rule is AdaGrad.
///
/// Source: McMahan and Streeter 2014, Algorithm 2. The shard remembers `G_old` itself: the pages a
/// worker reads stay pinned until it pushes. Of several reads of a page within one clock the first
/// counts; rows pushed without a read have `b = 0`. State holds `G`, `z - z0` and `z' - z0`.
///
/// @param options the table's constants
public record AdaRevision(RuleOptions options) implements UpdateRule {
  static final String NAME = "adarevision";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int stateArrays() {
    return 3;
  }

  @Override
  public boolean looksBack() {
    return true;
  }

  @Override
  public <S> void step(StepKernels<S> kernels, S span, StepSize stepSize, long stepNumber) {
    kernels.adaRevision(span, stepSize.rate(), (float) options.initialAccumulator());
  }
}
