package dev.espalier.sdk;

import java.util.Map;

/// What one worker measured on its share of the validation data.
///
/// @param metrics value by the names that the program's descriptor lists
/// @param samples validation samples behind the values, >= 0
public record Evaluation(Map<String, Double> metrics, int samples) {
  public Evaluation {
    metrics = Map.copyOf(metrics);
    if (samples < 0) {
      throw new IllegalArgumentException("samples must be >= 0 but is " + samples);
    }
  }

  /// The mean of one metric over this worker's samples; 0, with a weight of 0, where it has none.
  ///
  /// @param sum the metric's values added up; NaN or infinite when the model overflowed
  public static Evaluation mean(String metric, double sum, int samples) {
    return new Evaluation(Map.of(metric, samples == 0 ? 0 : sum / samples), samples);
  }
}
