package dev.espalier.sdk;

import java.util.HashMap;
import java.util.Map;

/// What one worker measured on its share of the validation data.
///
/// @param metrics value by the names that the program's descriptor lists
/// @param samples validation samples behind the values, >= 0: what they weigh when those of all
///   workers are put together
/// @param otherSamples by the names of metrics that were measured on other samples than those, such
///   as a test set's: how many these are, >= 0
public record Evaluation(
    Map<String, Double> metrics, int samples, Map<String, Integer> otherSamples) {
  public Evaluation {
    metrics = Map.copyOf(metrics);
    otherSamples = Map.copyOf(otherSamples);
    requireCount("samples", samples);
    otherSamples.forEach((metric, count) -> requireCount("samples of " + metric, count));
    if (!metrics.keySet().containsAll(otherSamples.keySet())) {
      throw new IllegalArgumentException(
          "metrics must have values but are %s, and there are samples of %s"
              .formatted(metrics.keySet(), otherSamples.keySet()));
    }
  }

  private static void requireCount(String name, int count) {
    if (count < 0) {
      throw new IllegalArgumentException(name + " must be >= 0 but is " + count);
    }
  }

  /// Metrics that were all measured on the same samples.
  public Evaluation(Map<String, Double> metrics, int samples) {
    this(metrics, samples, Map.of());
  }

  /// The same with another metric of these samples.
  public Evaluation with(String metric, double value) {
    var values = new HashMap<>(metrics);
    values.put(metric, value);
    return new Evaluation(values, samples, otherSamples);
  }

  /// The same with a metric that was measured on other samples, such as those of a test set.
  ///
  /// @param count how many these are, >= 0
  public Evaluation with(String metric, double value, int count) {
    var counts = new HashMap<>(otherSamples);
    counts.put(metric, count);
    return new Evaluation(with(metric, value).metrics, samples, counts);
  }

  /// The mean of one metric over this worker's samples; 0, with a weight of 0, where it has none.
  ///
  /// @param sum the metric's values added up; NaN or infinite when the model overflowed
  public static Evaluation mean(String metric, double sum, int samples) {
    return new Evaluation(Map.of(metric, samples == 0 ? 0 : sum / samples), samples);
  }
}
