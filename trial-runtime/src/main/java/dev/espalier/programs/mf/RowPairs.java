package dev.espalier.programs.mf;

import dev.espalier.data.Ratings;

/// Where the rows of some ratings lie, found before they are used: the loop over the ratings has no
/// calls then.
final class RowPairs {
  /// Ratings at a time.
  static final int MAX_COUNT = 256;

  private final int[] rows = new int[MAX_COUNT];
  private final long[] users = new long[MAX_COUNT];
  private final long[] items = new long[MAX_COUNT];
  private final float[] values = new float[MAX_COUNT];

  /// Finds the rows of the ratings `samples[from]` to `samples[from + count - 1]`.
  void find(FactorSteps.Work work, int from, int count) {
    Ratings ratings = work.ratings();
    int[] samples = work.samples();
    for (int i = 0; i < count; i++) {
      rows[i] = ratings.users()[samples[from + i]];
    }
    work.users().find(rows, 0, count, users);
    for (int i = 0; i < count; i++) {
      rows[i] = ratings.items()[samples[from + i]];
      values[i] = ratings.values()[samples[from + i]];
    }
    work.items().find(rows, 0, count, items);
  }

  /// {@return positions of the users' rows}
  long[] users() {
    return users;
  }

  /// {@return positions of the items' rows}
  long[] items() {
    return items;
  }

  /// {@return the ratings}
  float[] values() {
    return values;
  }
}
