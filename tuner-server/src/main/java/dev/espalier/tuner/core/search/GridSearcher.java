package dev.espalier.tuner.core.search;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import java.util.List;
import java.util.Optional;

/// Tries every combination of evenly spaced values once, in an order shuffled by the seed.
///
/// A continuous axis has `pointsPerAxis` values, both bounds included; a choice has all of its own.
final class GridSearcher implements Searcher {
  private final SearchSpace space;
  private final long seed;
  private final int[] pointsOfAxis;
  private final long size;

  GridSearcher(SearchSpace space, long seed, int pointsPerAxis) {
    if (pointsPerAxis < 2) {
      throw new IllegalArgumentException("pointsPerAxis must be >= 2 but is " + pointsPerAxis);
    }
    this.space = space;
    this.seed = seed;
    this.pointsOfAxis = new int[space.dimensions()];
    long product = 1;
    for (int i = 0; i < pointsOfAxis.length; i++) {
      pointsOfAxis[i] = points(space.tunables().get(i), pointsPerAxis);
      product = Math.multiplyExact(product, (long) pointsOfAxis[i]);
    }
    this.size = product;
  }

  @Override
  public Optional<Setting> propose(List<Observation> observations, long draw) {
    if (draw >= size) {
      return Optional.empty();
    }
    long rest = shuffled(draw);
    double[] unit = new double[pointsOfAxis.length];
    for (int i = 0; i < unit.length; i++) {
      unit[i] = coordinate(i, (int) (rest % pointsOfAxis[i]));
      rest /= pointsOfAxis[i];
    }
    return Optional.of(space.fromUnit(unit));
  }

  private static int points(Tunable tunable, int pointsPerAxis) {
    return switch (tunable) {
      case Tunable.Choice choice -> choice.values().size();
      case Tunable.LogRange _, Tunable.LinearRange _ -> pointsPerAxis;
    };
  }

  private double coordinate(int axis, int point) {
    return switch (space.tunables().get(axis)) {
      case Tunable.Choice choice -> choice.toUnit(choice.values().get(point));
      case Tunable.LogRange _, Tunable.LinearRange _ -> point / (pointsOfAxis[axis] - 1.0);
    };
  }

  /// A random permutation of [0, size) without a table: a Feistel network over the next power of
  /// four, walked until it lands inside (Black and Rogaway 2002).
  private long shuffled(long index) {
    int halfBits = Math.max(1, (Long.SIZE - Long.numberOfLeadingZeros(size - 1) + 1) / 2);
    long value = index;
    do {
      value = feistel(value, halfBits);
    } while (value >= size);
    return value;
  }

  private long feistel(long value, int halfBits) {
    long mask = (1L << halfBits) - 1;
    long left = value >>> halfBits;
    long right = value & mask;
    for (int round = 0; round < 4; round++) {
      long next = left ^ (Seeds.mix(Seeds.mix(seed + round) ^ right) & mask);
      left = right;
      right = next;
    }
    return (left << halfBits) | right;
  }
}
