package dev.espalier.tuner.app;

import java.util.function.LongSupplier;

/// Seconds of a job's life: the wall clock while it has its turn, added to what the log says, or
/// the sum of modelled seconds where the job has a cost model.
///
/// Never falls. Stands still while the job waits for its turn or for workers that come by
/// themselves, while it is paused, and while no server runs it.
final class JobClock {
  private final boolean modelled;
  private final LongSupplier nanoTime;
  private long lastNanos;
  private double seconds;
  private boolean isRunning;

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

  /// Lets a wall clock run or stand still; it stands still at first.
  void run(boolean now) {
    now();
    isRunning = now;
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
      if (isRunning) {
        seconds += (nanos - lastNanos) / 1e9;
      }
      lastNanos = nanos;
    }
    return seconds;
  }
}
