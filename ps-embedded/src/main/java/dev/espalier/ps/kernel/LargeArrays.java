package dev.espalier.ps.kernel;

import dev.espalier.ps.machine.Cores;

/// Work on arrays that may be large, which the cores of this process share then.
public final class LargeArrays {
  /// What one core does at a time: so many floats the JVM copies past the caches.
  private static final int PIECE = 1 << 20;

  private LargeArrays() {}

  /// Copies floats from one array to another.
  public static void copy(float[] from, int fromOffset, float[] to, int toOffset, int length) {
    Cores.ofThisProcess()
        .share(
            length,
            PIECE,
            (first, count) ->
                System.arraycopy(from, fromOffset + first, to, toOffset + first, count));
  }

  /// `y += x`, with the sums of `kernels`.
  public static void add(
      RowKernels kernels, float[] x, int xOffset, float[] y, int yOffset, int length) {
    Cores.ofThisProcess()
        .share(
            length,
            PIECE,
            (first, count) -> kernels.add(x, xOffset + first, y, yOffset + first, count));
  }
}
