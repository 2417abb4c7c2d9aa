package dev.espalier.nn;

/// What a unit does to its weighted sum.
public enum Activation {
  /// Nothing.
  NONE,
  /// `max(x, 0)`.
  RELU,
  /// The hyperbolic tangent.
  TANH
}
