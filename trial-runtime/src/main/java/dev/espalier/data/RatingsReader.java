package dev.espalier.data;

import java.util.Arrays;

/// Reads rating files of all MovieLens releases.
///
/// One rating per line: user, item, rating and, where there is one, the time, which is checked but
/// not kept. Fields are separated by tabs (`u.data`), `::` (`ratings.dat`) or commas
/// (`ratings.csv`, with or without a header, whose first field has no digit); the first line
/// decides. Ids start at 1.
public final class RatingsReader {
  /// The largest user or item id that is read; a larger one is taken for an error in the file.
  public static final int MAX_ID = 10_000_000;

  private RatingsReader() {}

  /// Reads all ratings of a file.
  ///
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` with file and line when the
  ///   file is missing, cut off, empty or malformed
  public static Ratings read(DataFile file) {
    try (var lines = new TextLines(file)) {
      if (!lines.next()) {
        throw file.invalidLine(1, "expected a rating but the file is empty");
      }
      String separator = separator(lines);
      boolean inside = !separator.equals(",") || lines.hasDigitBefore(",") || lines.next();
      var ratings = new Builder(file);
      while (inside) {
        ratings.add(lines, separator);
        inside = lines.next();
      }
      if (ratings.count == 0) {
        throw lines.invalid("expected a rating but there is only a header");
      }
      return ratings.build();
    }
  }

  private static String separator(TextLines lines) {
    for (String separator : new String[] {"\t", "::", ","}) {
      if (lines.contains(separator)) {
        return separator;
      }
    }
    throw lines.invalid(
        "expected user, item and rating separated by tabs, \"::\" or commas but found none");
  }

  private static final class Builder {
    private final DataFile file;
    private int[] users = new int[1024];
    private int[] items = new int[1024];
    private float[] values = new float[1024];
    private int count;

    Builder(DataFile file) {
      this.file = file;
    }

    void add(TextLines lines, String separator) {
      if (count == users.length) {
        int capacity = Capacity.larger(count, count + 1L, file, "ratings");
        users = Arrays.copyOf(users, capacity);
        items = Arrays.copyOf(items, capacity);
        values = Arrays.copyOf(values, capacity);
      }
      users[count] = lines.integer("user id", 1, MAX_ID) - 1;
      lines.expect(separator, "user id");
      items[count] = lines.integer("item id", 1, MAX_ID) - 1;
      lines.expect(separator, "item id");
      double rating = lines.decimal("rating");
      values[count] = (float) rating;
      if (!Float.isFinite(values[count])) {
        throw lines.invalid("rating must fit a float but is " + rating);
      }
      if (!lines.atEnd()) {
        lines.expect(separator, "rating");
        lines.decimal("time");
      }
      lines.expectNoMoreThan("user, item, rating and time");
      count++;
    }

    Ratings build() {
      return new Ratings(
          count,
          Arrays.copyOf(users, count),
          Arrays.copyOf(items, count),
          Arrays.copyOf(values, count));
    }
  }
}
