package dev.espalier.api.rest;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// The training loss of one branch, in buckets of consecutive clocks.
///
/// @param forkClock mainline clock of the branch's fork point
public record SeriesView(int branch, long forkClock, List<Bucket> buckets) {
  public SeriesView {
    buckets = List.copyOf(buckets);
  }

  /// Consecutive clocks as one point.
  ///
  /// @param fromClock branch-internal, inclusive
  /// @param toClock exclusive
  /// @param seconds branch seconds at the end of the bucket
  /// @param mean null when no finite loss is in the bucket
  /// @param nonFinite how many losses were NaN or infinite
  public record Bucket(
      long fromClock,
      long toClock,
      double seconds,
      @Nullable Double min,
      @Nullable Double max,
      @Nullable Double mean,
      long nonFinite) {}
}
