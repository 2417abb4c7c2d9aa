package dev.espalier.ps.optim;

import dev.espalier.ps.kernel.StepKernels;

/// Plain addition: `w = w + s`, `s` the sum of what all workers added; for counts and other tables
/// that are no parameters of a loss.
///
/// The size of the learning rate does not matter; a clock with rate 0 changes nothing here either.
public record Add() implements UpdateRule {
  static final String NAME = "add";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int stateArrays() {
    return 0;
  }

  @Override
  public boolean takesMeans() {
    return false;
  }

  @Override
  public <S> void step(StepKernels<S> kernels, S span, StepSize stepSize, long stepNumber) {
    kernels.sgd(span, -1);
  }
}
