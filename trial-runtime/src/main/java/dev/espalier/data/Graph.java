package dev.espalier.data;

import java.util.Arrays;

/// A directed graph.
///
/// @param ids the number of each node in its file, ascending
/// @param sources where each edge begins, as an index of `ids`
/// @param targets where each edge ends, as an index of `ids`
public record Graph(int[] ids, int[] sources, int[] targets) {

  /// Makes a graph of the nodes that edges name.
  ///
  /// @param from where each edge begins, as a number >= 0
  /// @param to where each edge ends, as a number >= 0
  public static Graph of(int[] from, int[] to) {
    int[] ends = Arrays.copyOf(from, from.length + to.length);
    System.arraycopy(to, 0, ends, from.length, to.length);
    int[] ids = Arrays.stream(ends).parallel().sorted().distinct().toArray();
    return new Graph(ids, indices(ids, from), indices(ids, to));
  }

  private static int[] indices(int[] ids, int[] numbers) {
    return Arrays.stream(numbers).map(number -> Arrays.binarySearch(ids, number)).toArray();
  }

  /// {@return number of nodes}
  public int nodes() {
    return ids.length;
  }

  /// {@return number of edges}
  public int edges() {
    return sources.length;
  }
}
