package dev.espalier.ps.gpu;

import org.jspecify.annotations.Nullable;

/// Gives back one thing after the other, whichever of them fails.
///
/// Not thread-safe.
final class Releases {
  private @Nullable RuntimeException failure;

  /// Gives something back; a failure is kept.
  void run(Runnable release) {
    try {
      release.run();
    } catch (RuntimeException e) {
      if (failure == null) {
        failure = e;
      } else {
        failure.addSuppressed(e);
      }
    }
  }

  /// Throws the first failure, which names the others.
  void end() {
    if (failure != null) {
      throw failure;
    }
  }

  /// Keeps the failures behind the one that made giving back necessary.
  ///
  /// @return that one, to be thrown
  RuntimeException because(RuntimeException cause) {
    if (failure != null) {
      cause.addSuppressed(failure);
    }
    return cause;
  }
}
