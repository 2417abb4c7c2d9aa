package dev.espalier.tuner.app;

import java.util.function.LongSupplier;

/// Seconds of a job's life: the wall clock since its runner started, added to what the log says, or
/// the sum of modelled seconds where the job has a cost model.
///
/// Never falls, and does not count the time in which no server ran the job.
final class JobClock {
  private final boolean modelled;
  private final LongSupplier nanoTime;
  private long lastNanos;
  private double seconds;

  JobClock(boolean modelled, LongSupplier nanoTime) {
    this.modelled = modelled;
    this.nanoTime = nanoTime;
    this.lastNanos = nanoTime.getAsLong();
  }

  /// Goes on from a logged event.
  void restore(double atSeconds) {
    seconds = Math.max(seconds, atSeconds);
    lastNanos = nanoTime.getAsLong();
  }

  /// Adds branch seconds; does nothing on a wall clock.
  void advance(double branchSeconds) {
    if (modelled) {
      seconds += branchSeconds;
    }
  }

  double now() {
    if (!modelled) {
      long nanos = nanoTime.getAsLong();
      seconds += (nanos - lastNanos) / 1e9;
      lastNanos = nanos;
    }
    return seconds;
  }
}
