package dev.espalier.runtime.branch;

import java.util.ArrayDeque;
import java.util.Deque;

/// What has been opened so far: closed once, in the reverse order, whatever of it fails.
///
/// Not thread safe.
public final class Opened implements AutoCloseable {
  private final Deque<Runnable> closings = new ArrayDeque<>();

  /// Notes how the thing that was opened last is closed.
  public void closeBy(Runnable closing) {
    closings.addLast(closing);
  }

  /// Closes all; the first failure is thrown when nothing is left open, with the others in it.
  @Override
  public void close() {
    Runnable last = closings.pollLast();
    if (last != null) {
      // Its own resource: what was opened before is closed after the last, even if that fails.
      try (Opened _ = this) {
        last.run();
      }
    }
  }
}
