package dev.espalier.bench.tuning;

import java.util.Collection;

/// Order statistics.
final class Quantiles {
  private Quantiles() {}

  /// {@return the middle value, or the mean of the two in the middle; NaN of none or with a NaN;
  /// infinite when a middle value is}
  static double median(Collection<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    int middle = sorted.length / 2;
    if (sorted.length == 0 || Double.isNaN(sorted[sorted.length - 1])) {
      return Double.NaN;
    }
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
