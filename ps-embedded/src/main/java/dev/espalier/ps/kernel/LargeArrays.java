package dev.espalier.ps.kernel;

import dev.espalier.ps.machine.Cores;

/// Work on arrays that may be large, which the cores of this process share then.
public final class LargeArrays {
  /// What one core does at a time. Of fewer floats the JVM's copies read what they overwrite.
  private static final int PIECE = 1 << 20;

  /// For less it is not worth while to wake another core.
  private static final int LEAST = 1 << 21;

  private LargeArrays() {}

  /// Copies floats from one array to another one.
  public static void copy(float[] from, int fromOffset, float[] to, int toOffset, int length) {
    if (length < LEAST) {
      System.arraycopy(from, fromOffset, to, toOffset, length);
      return;
    }
    Cores.ofThisProcess()
        .share(
            length,
            PIECE,
            (first, count) ->
                System.arraycopy(from, fromOffset + first, to, toOffset + first, count));
  }

  /// `y += x` of two arrays, with the sums of `kernels`.
  public static void add(
      RowKernels kernels, float[] x, int xOffset, float[] y, int yOffset, int length) {
    if (length < LEAST) {
      kernels.add(x, xOffset, y, yOffset, length);
      return;
    }
    Cores.ofThisProcess()
        .share(
            length,
            PIECE,
            (first, count) -> kernels.add(x, xOffset + first, y, yOffset + first, count));
  }
}
