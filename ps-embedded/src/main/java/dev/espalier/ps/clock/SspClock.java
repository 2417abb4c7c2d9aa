package dev.espalier.ps.clock;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The clocks that each worker has completed on one branch.
///
/// Stale synchronous parallel (Ho et al. 2013): a read at clock `i` with staleness `s` waits until
/// every other worker has completed clock `i - s - 1`. Clocks are counted inside the branch, from
/// 0. Not thread-safe; the shard that owns the branch guards it.
public final class SspClock {
  private final long[] completed;

  /// Clocks of a new branch: nobody has completed any.
  ///
  /// @param workers number of workers, >= 1
  public SspClock(int workers) {
    if (workers < 1) {
      throw new IllegalArgumentException("workers must be >= 1 but is " + workers);
    }
    completed = new long[workers];
  }

  /// Completes a clock of a worker.
  ///
  /// @return false when the worker had completed it before, so that it is a repeat
  /// @throws PsException `CLOCK_ORDER` when the worker skips a clock
  public boolean tick(int worker, long clock) {
    if (clock < completed[worker]) {
      return false;
    }
    if (clock > completed[worker]) {
      throw new PsException(
          PsFault.CLOCK_ORDER,
          "worker %d ticks clock %d, but clock %d is its next"
              .formatted(worker, clock, completed[worker]));
    }
    completed[worker]++;
    return true;
  }

  /// Whether a read may be served now.
  ///
  /// @param worker who reads; its own clocks do not matter
  /// @param clock the clock it is in
  /// @param staleness what it may miss
  public boolean mayRead(int worker, long clock, Staleness staleness) {
    for (int other = 0; other < completed.length; other++) {
      if (other != worker && completed[other] < clock - staleness.bound()) {
        return false;
      }
    }
    return true;
  }

  /// The workers for which a read waits.
  public List<Integer> laggards(int worker, long clock, Staleness staleness) {
    List<Integer> laggards = new ArrayList<>();
    for (int other = 0; other < completed.length; other++) {
      if (other != worker && completed[other] < clock - staleness.bound()) {
        laggards.add(other);
      }
    }
    return laggards;
  }

  /// Number of clocks a worker has completed.
  public long completed(int worker) {
    return completed[worker];
  }

  /// Number of clocks that every worker has completed.
  public long completedByAll() {
    return Arrays.stream(completed).min().orElseThrow();
  }

  /// Whether every worker has completed the same number of clocks.
  public boolean isLevel() {
    return Arrays.stream(completed).max().orElseThrow() == completedByAll();
  }

  @Override
  public String toString() {
    return Arrays.toString(completed);
  }
}
