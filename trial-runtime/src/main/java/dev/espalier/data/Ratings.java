package dev.espalier.data;

import java.util.Arrays;

/// Ratings that users gave to items, in the order of their file.
///
/// @param count how many, >= 1
/// @param users user of each rating, from 0 (the id in the file less 1)
/// @param items item of each rating, from 0 (the id in the file less 1)
/// @param values each rating, finite
public record Ratings(int count, int[] users, int[] items, float[] values) {

  /// {@return one more than the largest user number}
  public int userCount() {
    return 1 + Arrays.stream(users).max().orElse(-1);
  }

  /// {@return one more than the largest item number}
  public int itemCount() {
    return 1 + Arrays.stream(items).max().orElse(-1);
  }

  /// {@return the ratings at these positions}
  public Ratings select(int[] positions) {
    var selection =
        new Ratings(
            positions.length,
            new int[positions.length],
            new int[positions.length],
            new float[positions.length]);
    for (int i = 0; i < positions.length; i++) {
      selection.users[i] = users[positions[i]];
      selection.items[i] = items[positions[i]];
      selection.values[i] = values[positions[i]];
    }
    return selection;
  }
}
