package dev.espalier.api.rest;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// The mainline's training loss over its whole course: the clocks that each branch of its chain
/// gave, one after the other, in buckets.
public record MainlineView(List<Bucket> buckets) {
  public MainlineView {
    buckets = List.copyOf(buckets);
  }

  /// Consecutive clocks of one branch as one point.
  ///
  /// @param branch the branch that gave them
  /// @param fromClock mainline clock, inclusive; the first clock is 0
  /// @param toClock exclusive
  /// @param seconds training seconds on the mainline at the end of the bucket
  /// @param mean null when no finite loss is in the bucket
  /// @param nonFinite how many losses were NaN or infinite
  public record Bucket(
      int branch,
      long fromClock,
      long toClock,
      double seconds,
      @Nullable Double min,
      @Nullable Double max,
      @Nullable Double mean,
      long nonFinite) {}
}
