package dev.espalier.ps.shard;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// What comes in for a worker, taken in by the very thread that waits for it.
///
/// Each source has a thread of its own, but to wake that one, which then wakes the one that waits,
/// takes longer than a short clock. So a thread that waits reads the sources itself for a while,
/// the commands of other workers, too: theirs are often what it waits for. Thread-safe.
public final class Arrivals {
  /// A thread that has waited so long in vain leaves the processor to others.
  private static final long PATIENCE_NANOS = 100_000;

  private static final ThreadLocal<@Nullable Visit> VISIT = new ThreadLocal<>();

  private final Set<Source> sources = ConcurrentHashMap.newKeySet();

  /// Where something comes in: read by its owner, or by one who waits.
  public interface Source {
    /// {@return whether the caller may read now, and the owner, who sleeps, does not}
    boolean take();

    /// Reads what has come, one message at most; what fails is told to the owner.
    ///
    /// @return whether there was one
    boolean readNext();

    /// {@return whether the owner has to do something with it}
    boolean isWanted();

    /// Lets the owner read again.
    void giveBack();
  }

  /// Adds a source.
  public void add(Source source) {
    sources.add(source);
  }

  /// Removes a source, which its owner reads.
  public void remove(Source source) {
    sources.remove(source);
  }

  /// Takes in what comes until something is there, nothing has come for a while, time is over, or
  /// the thread is interrupted.
  ///
  /// @param isThere whether what the caller waits for is there
  /// @param timeout how long at most
  public void takeInUntil(BooleanSupplier isThere, Duration timeout) {
    if (sources.isEmpty() || isThere.getAsBoolean() || VISIT.get() != null) {
      return;
    }
    var visit = new Visit();
    VISIT.set(visit);
    try {
      visit.readUntil(isThere, System.nanoTime() + timeout.toNanos());
    } finally {
      // A call of the system by an interrupted thread would cut the connection that it is for.
      boolean isInterrupted = Thread.interrupted();
      visit.giveBack();
      VISIT.remove();
      if (isInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /// {@return whether the calling thread takes in what came: then it must not wait until another
  /// worker reads, which may be waiting for what only this thread reads now}
  public static boolean isTakingIn() {
    return VISIT.get() != null;
  }

  /// The sources that one thread reads while it waits.
  private final class Visit {
    private final List<Source> held = new ArrayList<>();

    void readUntil(BooleanSupplier isThere, long end) {
      long now = System.nanoTime();
      long start = now;
      while (!isThere.getAsBoolean()
          && now - start <= PATIENCE_NANOS
          && now - end < 0
          && !Thread.currentThread().isInterrupted()) {
        boolean isNews = readOnce();
        if (!isNews) {
          Thread.yield();
        }
        now = System.nanoTime();
        start = isNews ? now : start;
      }
    }

    private boolean readOnce() {
      boolean found = false;
      for (Source source : sources) {
        if (held.contains(source) && source.isWanted()) {
          held.remove(source);
          source.giveBack();
        } else if (held.contains(source) || take(source)) {
          found |= source.readNext();
        }
      }
      return found;
    }

    private boolean take(Source source) {
      return source.take() && held.add(source);
    }

    void giveBack() {
      held.forEach(Source::giveBack);
    }
  }
}
