package dev.espalier.bench.frame;

import java.util.function.LongSupplier;
import java.util.stream.DoubleStream;

/// Repeats work for a time and counts.
///
/// @param warmUpSeconds run before each rate is measured
/// @param measuredSeconds run while each rate is measured
public record Rate(double warmUpSeconds, double measuredSeconds) {

  /// Runs `work` for the warm-up, then for the measured time.
  ///
  /// @param work does a piece and says how many things it did
  /// @return things per second of the measured time
  public double perSecond(LongSupplier work) {
    run(warmUpSeconds, work);
    return run(measuredSeconds, work);
  }

  private static double run(double seconds, LongSupplier work) {
    long start = System.nanoTime();
    long count = 0;
    long now;
    do {
      count += work.getAsLong();
      now = System.nanoTime();
    } while (now - start < seconds * 1e9);
    return count / ((now - start) / 1e9);
  }

  /// {@return the middle value; NaN of none}
  public static double median(DoubleStream values) {
    double[] sorted = values.sorted().toArray();
    int middle = sorted.length / 2;
    if (sorted.length == 0) {
      return Double.NaN;
    }
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
