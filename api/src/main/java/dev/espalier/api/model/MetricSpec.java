package dev.espalier.api.model;

import static java.util.Objects.requireNonNull;

/// A validation metric of a program and how workers' parts are put together.
///
/// @param name key in the maps that evaluations return
/// @param goal the better direction
/// @param aggregate how the parts of several workers become one value
public record MetricSpec(String name, Goal goal, Aggregate aggregate) {
  public MetricSpec {
    requireNonNull(name, "name");
    requireNonNull(goal, "goal");
    requireNonNull(aggregate, "aggregate");
  }

  /// A metric whose small values are good, averaged over the workers' samples.
  public static MetricSpec minimize(String name) {
    return new MetricSpec(name, Goal.MINIMIZE, Aggregate.MEAN);
  }

  /// A metric whose large values are good, averaged over the workers' samples.
  public static MetricSpec maximize(String name) {
    return new MetricSpec(name, Goal.MAXIMIZE, Aggregate.MEAN);
  }

  /// How parts, each weighted by its sample count, become one value.
  public enum Aggregate {
    /// The weighted mean of the parts.
    MEAN,
    /// The square root of the weighted mean of the squared parts, for root mean square errors.
    ROOT_MEAN_SQUARE
  }
}
