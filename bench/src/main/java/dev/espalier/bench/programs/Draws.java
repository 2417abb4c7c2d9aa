package dev.espalier.bench.programs;

import java.util.ArrayDeque;
import java.util.Deque;

/// The random numbers that the peers' data sets were drawn with, so that theirs are ours.
final class Draws {
  private long state;

  Draws(long seed) {
    state = seed * 0x9E37_79B9_7F4A_7C15L + 1;
    for (int i = 0; i < 8; i++) {
      next();
    }
  }

  /// xorshift64* (Vigna 2016).
  long next() {
    state ^= state >>> 12;
    state ^= state << 25;
    state ^= state >>> 27;
    return state * 0x2545_F491_4F6C_DD1DL;
  }

  double uniform() {
    return (next() >>> 11) * 0x1p-53;
  }

  double normal() {
    double a = uniform();
    double b = uniform();
    return Math.sqrt(-2 * Math.log(a + 1e-300)) * Math.cos(6.283185307179586 * b);
  }

  int below(int bound) {
    return (int) Math.unsignedMultiplyHigh(next(), bound);
  }

  int[] permutation(int count) {
    int[] order = new int[count];
    for (int i = 0; i < count; i++) {
      order[i] = i;
    }
    for (int i = count - 1; i > 0; i--) {
      int j = below(i + 1);
      int swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    return order;
  }

  float[] normals(int count, double deviation) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (normal() * deviation);
    }
    return values;
  }

  /// Weights `1 / (i + 1 + shift)^exponent`.
  static double[] zipf(int count, double exponent, double shift) {
    double[] weights = new double[count];
    for (int i = 0; i < count; i++) {
      weights[i] = Math.pow(i + 1 + shift, -exponent);
    }
    return weights;
  }

  /// Draws numbers by weight (Walker 1977).
  static final class Weighted {
    private final double[] keep;
    private final int[] other;

    Weighted(double[] weights) {
      int count = weights.length;
      keep = new double[count];
      other = new int[count];
      double sum = 0;
      for (double weight : weights) {
        sum += weight;
      }
      Deque<Integer> small = new ArrayDeque<>();
      Deque<Integer> large = new ArrayDeque<>();
      for (int i = 0; i < count; i++) {
        keep[i] = weights[i] / sum * count;
        (keep[i] < 1 ? small : large).push(i);
      }
      while (!small.isEmpty() && !large.isEmpty()) {
        int low = small.pop();
        int high = large.element();
        other[low] = high;
        keep[high] -= 1 - keep[low];
        if (keep[high] < 1) {
          large.pop();
          small.push(high);
        }
      }
      for (int i : small) {
        keep[i] = 1;
      }
    }

    int draw(Draws draws) {
      int i = draws.below(keep.length);
      return draws.uniform() < keep[i] ? i : other[i];
    }
  }
}
