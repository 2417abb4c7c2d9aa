package dev.espalier.nn.host;

/// How fast one thread multiplies matrices in this process.
public final class GemmRate {
  private static final int SIDE = 384;
  private static final int WARM_UP_SIDE = 48;
  private static final long WARM_UP_NANOS = 300_000_000;
  private static final int WARM_UPS = 10;
  private static final double COMPILED_GIGAFLOPS = 2;
  private static final long MEASURED_NANOS = 400_000_000;

  private GemmRate() {}

  /// {@return whether products run on the Vector API}
  public static boolean isVectorised() {
    return !(Gemm.best() instanceof PlainGemm);
  }

  /// {@return the best rate of a product of two squares of 384, in GFLOP/s; takes less than a
  /// second, or three on a machine too busy to compile the product}
  public static double measure() {
    Gemm gemm = Gemm.best();
    // Before they are compiled, vector operations take a thousand times as long.
    for (int i = 0; i < WARM_UPS; i++) {
      if (rate(gemm, WARM_UP_SIDE, WARM_UP_NANOS) > COMPILED_GIGAFLOPS) {
        break;
      }
    }
    return rate(gemm, SIDE, MEASURED_NANOS);
  }

  private static double rate(Gemm gemm, int side, long patienceNanos) {
    return 2.0 * side * side * side / shortestNanos(gemm, side, patienceNanos);
  }

  private static long shortestNanos(Gemm gemm, int side, long patienceNanos) {
    float[] values = new float[side * side];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 7 - 3;
    }
    Matrix factor = Matrix.rowMajor(values, side, side);
    Matrix product = Matrix.rowMajor(new float[side * side], side, side);
    long shortest = Long.MAX_VALUE;
    long begin = System.nanoTime();
    for (long now = begin; now - begin < patienceNanos; ) {
      gemm.addProduct(factor, factor, product);
      long end = System.nanoTime();
      shortest = Math.min(shortest, end - now);
      now = end;
    }
    return shortest;
  }
}
