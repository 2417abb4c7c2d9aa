package dev.espalier.ps.optim;

/// How far the updates of one clock move the parameters; comes from the branch's setting. Bounds
/// hold for the floats that kernels calculate with, too.
///
/// @param learningRate `lr`, >= 0 and finite; 0 marks a clock that changes nothing, neither
///   parameters nor optimizer state (evaluation)
/// @param momentum `m` of the momentum rules and `beta1` of Adam, in [0, 1); NaN when the setting
///   has none, then the table's [RuleOptions#momentum] is used
public record StepSize(double learningRate, double momentum) {
  private static final StepSize NO_UPDATE = new StepSize(0, Double.NaN);

  /// Checks the bounds.
  public StepSize {
    FloatBounds.requireNotNegative("learningRate", learningRate);
    if (!Double.isNaN(momentum)) {
      FloatBounds.requireFraction("momentum", momentum);
    }
  }

  /// A step size with the table's own momentum.
  public static StepSize of(double learningRate) {
    return new StepSize(learningRate, Double.NaN);
  }

  /// The mark of a branch whose clocks change nothing.
  public static StepSize noUpdate() {
    return NO_UPDATE;
  }

  /// Whether a clock with this step size changes anything.
  public boolean updates() {
    return learningRate > 0;
  }

  /// The learning rate as the kernels use it.
  float rate() {
    return (float) learningRate;
  }

  /// The momentum, or the given one when the setting has none.
  float momentumOr(double tableMomentum) {
    return (float) (Double.isNaN(momentum) ? tableMomentum : momentum);
  }
}
