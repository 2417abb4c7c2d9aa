package dev.espalier.cli.screen;

import java.util.List;

/// A curve in one line of text.
public final class Sparkline {
  private static final String BLOCKS = "▁▂▃▄▅▆▇█";
  private static final String ASCII = "_.-=+*#@";

  private Sparkline() {}

  /// {@return at most `columns` marks, the lowest for the smallest value}
  ///
  /// @param values averaged over equal parts when there are more than columns; values that are not
  ///   finite leave a gap
  public static String of(List<Double> values, int columns, boolean unicode) {
    int width = Math.min(columns, values.size());
    double[] means = new double[Math.max(0, width)];
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < means.length; i++) {
      int from = (int) ((long) i * values.size() / width);
      int to = (int) ((long) (i + 1) * values.size() / width);
      means[i] =
          values.subList(from, to).stream()
              .mapToDouble(Double::doubleValue)
              .filter(Double::isFinite)
              .average()
              .orElse(Double.NaN);
      if (Double.isFinite(means[i])) {
        min = Math.min(min, means[i]);
        max = Math.max(max, means[i]);
      }
    }
    var line = new StringBuilder();
    for (double mean : means) {
      line.append(mark(mean, min, max, unicode ? BLOCKS : ASCII));
    }
    return line.toString();
  }

  private static char mark(double value, double min, double max, String marks) {
    if (!Double.isFinite(value)) {
      return ' ';
    }
    double height = max > min ? (value - min) / (max - min) : 0;
    return marks.charAt((int) Math.min(marks.length() - 1, Math.floor(height * marks.length())));
  }
}
