package dev.espalier.ps.link;

import java.io.IOException;

/// A look that is taken again and again, for a short while, before a thread sleeps: to wake it
/// costs its waker tens of microseconds.
///
/// Whoever else wants the processor meanwhile gets it, be it the one that is waited for.
final class Look {
  private static final long NANOS = 30_000;

  private Look() {}

  /// What is waited for.
  interface Sight {
    /// Whether it is there.
    boolean isThere() throws IOException;
  }

  /// {@return whether it came in time}
  static boolean sees(Sight sight) throws IOException {
    long start = System.nanoTime();
    while (!sight.isThere()) {
      if (System.nanoTime() - start >= NANOS) {
        return false;
      }
      Thread.yield();
    }
    return true;
  }
}
