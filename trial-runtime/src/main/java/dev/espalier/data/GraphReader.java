package dev.espalier.data;

import java.util.Arrays;

/// Reads edge lists as SNAP publishes them: one edge per line, two node numbers separated by tabs
/// or blanks; lines that begin with `#` are comments. Edges that occur twice count twice.
public final class GraphReader {
  private GraphReader() {}

  /// Reads all edges of a file.
  ///
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` with file and line when the
  ///   file is missing, cut off, malformed or without edges
  public static Graph read(DataFile file) {
    int[] from = new int[1024];
    int[] to = new int[1024];
    int count = 0;
    try (var lines = new TextLines(file)) {
      while (lines.next()) {
        if (lines.peek() == '#') {
          continue;
        }
        if (count == from.length) {
          from = Arrays.copyOf(from, Capacity.larger(count, count + 1L, file, "edges"));
          to = Arrays.copyOf(to, from.length);
        }
        from[count] = lines.integer("source", 0, Integer.MAX_VALUE - 1);
        lines.skipBlanks();
        to[count] = lines.integer("target", 0, Integer.MAX_VALUE - 1);
        lines.expectNoMoreThan("two node numbers");
        count++;
      }
    }
    if (count == 0) {
      throw file.invalid("expected edges but there are none");
    }
    return Graph.of(Arrays.copyOf(from, count), Arrays.copyOf(to, count));
  }
}
