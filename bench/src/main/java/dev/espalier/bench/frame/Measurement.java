package dev.espalier.bench.frame;

import java.util.Optional;

/// One figure beside another one from the same run that says whether it is good.
///
/// @param value in `unit`; NaN when it could not be measured
/// @param unit of both values
/// @param reference what the value is compared to: a limit of the machine, a peer, another way
/// @param goal what it should reach, if anything was set
public record Measurement(
    String name,
    double value,
    String unit,
    String reference,
    double referenceValue,
    Optional<Goal> goal) {

  /// A figure without a goal.
  public Measurement(
      String name, double value, String unit, String reference, double referenceValue) {
    this(name, value, unit, reference, referenceValue, Optional.empty());
  }

  /// {@return the same figure with a goal}
  public Measurement withGoal(Goal aim) {
    return new Measurement(name, value, unit, reference, referenceValue, Optional.of(aim));
  }

  /// {@return value over reference}
  public double ratio() {
    return value / referenceValue;
  }
}
