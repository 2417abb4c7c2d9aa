package dev.espalier.tuner.core.search;

import java.util.SplittableRandom;

/// Independent random streams out of one seed.
final class Seeds {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private Seeds() {}

  /// {@return the random stream of one draw}
  static SplittableRandom stream(long seed, long draw) {
    return new SplittableRandom(mix(mix(seed) + draw));
  }

  /// {@return `value` with all bits stirred: the output function of SplitMix64}
  static long mix(long value) {
    long z = value + GOLDEN_GAMMA;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
