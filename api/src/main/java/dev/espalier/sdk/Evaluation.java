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
}
