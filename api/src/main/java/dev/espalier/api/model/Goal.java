package dev.espalier.api.model;

/// The better direction of a metric.
public enum Goal {
  MINIMIZE,
  MAXIMIZE;

  /// {@return whether `candidate` is strictly better than `incumbent`; NaN is never better}
  public boolean isBetter(double candidate, double incumbent) {
    return this == MINIMIZE ? candidate < incumbent : candidate > incumbent;
  }
}
