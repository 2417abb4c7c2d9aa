package dev.espalier.api.model;

/// What a trace says of a branch (MLtuner, Cui, Ganger, Gibbons 2018, section 4.1).
public enum Verdict {
  /// The loss falls, and by more than its noise.
  CONVERGING,
  /// Not yet distinguishable from noise; a longer trial may tell.
  UNSTABLE,
  /// The loss overflowed, or rose beyond the divergence factor.
  DIVERGED,
  /// Too few points to say anything.
  INCONCLUSIVE
}
