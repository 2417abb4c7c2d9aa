package dev.espalier.ps.optim;

/// Constants of a table's update rule; a rule ignores those it does not use. Bounds hold for the
/// floats that they become, too.
///
/// @param momentum used when the setting has no momentum, in [0, 1); default 0.9
/// @param decay of the mean of squares in RMSProp and AdaDelta, in [0, 1); default 0.9
/// @param beta2 decay of Adam's second moment, in [0, 1); default 0.999
/// @param epsilon added to divisors, > 0; default 1e-8 (1e-6 for AdaDelta)
/// @param weightDecay decoupled weight decay of AdamW, >= 0; default 0
/// @param l1 weight of the L1 penalty of the proximal rules, >= 0; default 0
/// @param l2 weight of the L2 penalty of the proximal rules, >= 0; default 0
/// @param initialAccumulator `z0` of AdaptiveRevision, > 0; default 1
public record RuleOptions(
    double momentum,
    double decay,
    double beta2,
    double epsilon,
    double weightDecay,
    double l1,
    double l2,
    double initialAccumulator) {

  /// Checks the bounds.
  public RuleOptions {
    FloatBounds.requireFraction("momentum", momentum);
    FloatBounds.requireFraction("decay", decay);
    FloatBounds.requireFraction("beta2", beta2);
    FloatBounds.requirePositive("epsilon", epsilon);
    FloatBounds.requireNotNegative("weightDecay", weightDecay);
    FloatBounds.requireNotNegative("l1", l1);
    FloatBounds.requireNotNegative("l2", l2);
    FloatBounds.requirePositive("initialAccumulator", initialAccumulator);
  }

  /// The defaults of all rules but AdaDelta.
  public static RuleOptions defaults() {
    return new RuleOptions(0.9, 0.9, 0.999, 1e-8, 0, 0, 0, 1);
  }

  /// The defaults of one rule.
  ///
  /// @param rule a name from [UpdateRule#names]
  public static RuleOptions defaultsOf(String rule) {
    return rule.equals(AdaDelta.NAME) ? defaults().withEpsilon(1e-6) : defaults();
  }

  /// These options with another momentum.
  public RuleOptions withMomentum(double value) {
    return new RuleOptions(value, decay, beta2, epsilon, weightDecay, l1, l2, initialAccumulator);
  }

  /// These options with another decay.
  public RuleOptions withDecay(double value) {
    return new RuleOptions(
        momentum, value, beta2, epsilon, weightDecay, l1, l2, initialAccumulator);
  }

  /// These options with another beta2.
  public RuleOptions withBeta2(double value) {
    return new RuleOptions(
        momentum, decay, value, epsilon, weightDecay, l1, l2, initialAccumulator);
  }

  /// These options with another epsilon.
  public RuleOptions withEpsilon(double value) {
    return new RuleOptions(momentum, decay, beta2, value, weightDecay, l1, l2, initialAccumulator);
  }

  /// These options with another weight decay.
  public RuleOptions withWeightDecay(double value) {
    return new RuleOptions(momentum, decay, beta2, epsilon, value, l1, l2, initialAccumulator);
  }

  /// These options with other penalties.
  public RuleOptions withPenalties(double newL1, double newL2) {
    return new RuleOptions(
        momentum, decay, beta2, epsilon, weightDecay, newL1, newL2, initialAccumulator);
  }

  /// These options with another initial accumulator.
  public RuleOptions withInitialAccumulator(double value) {
    return new RuleOptions(momentum, decay, beta2, epsilon, weightDecay, l1, l2, value);
  }
}
