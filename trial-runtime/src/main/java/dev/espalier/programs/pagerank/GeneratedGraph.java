package dev.espalier.programs.pagerank;

import dev.espalier.data.Graph;
import java.util.Arrays;
import java.util.SplittableRandom;

/// A graph like those of links between people or pages: few nodes have most in-edges.
final class GeneratedGraph {
  private static final long SEED = 0x9A6E;

  private GeneratedGraph() {}

  /// Lets every node but the last ones link to nodes before it, mostly to those that are linked to
  /// already (preferential attachment, Barabasi and Albert 1999).
  static Graph generate(int nodes, int linksPerNode) {
    var random = new SplittableRandom(SEED);
    int[] from = new int[nodes * linksPerNode];
    int[] to = new int[from.length];
    int edges = 0;
    for (int node = 1; node < nodes; node++) {
      int links = Math.min(node, 1 + random.nextInt(2 * linksPerNode - 1));
      for (int link = 0; link < links && edges < from.length; link++) {
        boolean isCopied = edges > 0 && random.nextInt(4) > 0;
        from[edges] = node;
        to[edges] = isCopied ? to[random.nextInt(edges)] : random.nextInt(node);
        edges++;
      }
    }
    return Graph.of(Arrays.copyOf(from, edges), Arrays.copyOf(to, edges));
  }
}
