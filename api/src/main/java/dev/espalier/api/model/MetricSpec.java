package dev.espalier.api.model;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;

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

  /// Puts what several workers measured together, each part weighted by the samples behind it.
  ///
  /// @param parts those without the metric, or without samples of it, count for nothing
  /// @return NaN when a part that counts is; empty when none counts
  public OptionalDouble joined(List<WorkerReport.Evaluated> parts) {
    double weighted = 0;
    long samples = 0;
    for (WorkerReport.Evaluated part : parts) {
      Double value = part.metrics().get(name);
      long weight = part.samplesOf(name);
      if (value != null && weight > 0) {
        weighted += weight * (aggregate == Aggregate.MEAN ? value : value * value);
        samples += weight;
      }
    }
    if (samples == 0) {
      return OptionalDouble.empty();
    }
    double mean = weighted / samples;
    return OptionalDouble.of(aggregate == Aggregate.MEAN ? mean : Math.sqrt(mean));
  }

  /// {@return the metric that tells soonest which of two models is better: the first one whose
  /// small values are good, such as a loss; else the first one}
  ///
  /// @param metrics those of a program, in its order
  /// @param others names of metrics of other samples, such as a test set's, which judge nothing
  public static MetricSpec lossOf(List<MetricSpec> metrics, Set<String> others) {
    return metrics.stream()
        .filter(metric -> metric.goal() == Goal.MINIMIZE && !others.contains(metric.name()))
        .findFirst()
        .orElse(metrics.getFirst());
  }

  /// {@return a value of this metric as a mean over samples whose small values are good}
  public double asLoss(double value) {
    double mean = aggregate == Aggregate.MEAN ? value : value * value;
    return goal == Goal.MINIMIZE ? mean : -mean;
  }

  /// How parts, each weighted by its sample count, become one value.
  public enum Aggregate {
    /// The weighted mean of the parts.
    MEAN,
    /// The square root of the weighted mean of the squared parts, for root mean square errors.
    ROOT_MEAN_SQUARE
  }
}
