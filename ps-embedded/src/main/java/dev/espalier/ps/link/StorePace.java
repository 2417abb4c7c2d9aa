package dev.espalier.ps.link;

/*
 * An ordinary store to a line of the cache that another core has read first takes it away from that
 * core. Cores beside each other do that at the pace of a copy; where they are 300 ns apart, as those
 * of two chips are, it is a tenth of that, and the writer of a ring has nothing but such lines. A store
 * past the caches does not ask; it takes the bandwidth of the memory in return, and the reader has to
 * read from there. Which cores two processes run on changes while they run.
 */

/// Whether the writer of a ring should store past the caches: measured, for equal steps of large
/// messages.
///
/// Now and then a step is made the other way. Belongs to the thread that writes.
final class StorePace {
  /// So many steps are made one way before one is made the other; in the worse case a step takes
  /// ten times as long.
  private static final int STEPS_PER_TRIAL = 256;

  /// Past the caches only what is faster by more than the reader may lose by it.
  private static final double MIN_GAIN = 2;

  /// A step during which the processor was lost counts as so many times the usual one.
  private static final double MAX_OUTLIER = 4;

  private static final double WEIGHT = 0.25;

  private final boolean canStream;
  private double storedNanos;
  private double streamedNanos;
  private boolean streams;
  private int steps;

  /// @param canStream whether there is a copy past the caches
  StorePace(boolean canStream) {
    this.canStream = canStream;
  }

  /// Whether to make the next step past the caches.
  boolean streamsNext() {
    steps++;
    boolean isTrial = steps % STEPS_PER_TRIAL == 1;
    return canStream && streams != isTrial;
  }

  /// Says how long the step took.
  void took(boolean isStreamed, long nanos) {
    if (isStreamed) {
      streamedNanos = estimate(streamedNanos, nanos);
    } else {
      storedNanos = estimate(storedNanos, nanos);
    }
    streams = streamedNanos > 0 && storedNanos > MIN_GAIN * streamedNanos;
  }

  private static double estimate(double before, long nanos) {
    double now = Math.max(1, nanos);
    return before == 0 || now < before
        ? now
        : before + WEIGHT * (Math.min(now, MAX_OUTLIER * before) - before);
  }
}
