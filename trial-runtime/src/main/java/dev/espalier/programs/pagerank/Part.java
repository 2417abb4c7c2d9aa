package dev.espalier.programs.pagerank;

import dev.espalier.data.Graph;
import dev.espalier.sdk.ParameterTable;
import java.util.Arrays;
import java.util.BitSet;

/// The nodes of one worker, the edges that end in them, and the ranks that a sweep needs.
final class Part {
  private final int firstNode;
  private final int allNodes;
  private final double damping;
  /* In-edges of own node i are [starts[i], starts[i + 1]). */
  private final int[] starts;
  /* Places of the edges' sources, of own nodes and of dangling nodes in `rows`. */
  private final int[] sources;
  private final int[] own;
  private final int[] dangling;
  /* 1 / out-degree of each edge's source. */
  private final float[] weights;
  private final long[] rows;
  private final float[] ranks;
  private final float[] residuals;

  private Part(Graph graph, int firstNode, int endNode, double damping) {
    this.firstNode = firstNode;
    this.allNodes = graph.nodes();
    this.damping = damping;
    int[] degrees = new int[allNodes];
    for (int source : graph.sources()) {
      degrees[source]++;
    }
    starts = new int[endNode - firstNode + 1];
    for (int target : graph.targets()) {
      if (target >= firstNode && target < endNode) {
        starts[target - firstNode + 1]++;
      }
    }
    Arrays.parallelPrefix(starts, Integer::sum);
    int[] edgeSources = new int[starts[endNode - firstNode]];
    int[] next = starts.clone();
    for (int edge = 0; edge < graph.edges(); edge++) {
      int target = graph.targets()[edge];
      if (target >= firstNode && target < endNode) {
        edgeSources[next[target - firstNode]++] = graph.sources()[edge];
      }
    }
    weights = new float[edgeSources.length];
    var needed = new BitSet(allNodes);
    needed.set(firstNode, endNode);
    for (int edge = 0; edge < weights.length; edge++) {
      needed.set(edgeSources[edge]);
      weights[edge] = 1f / degrees[edgeSources[edge]];
    }
    var isDangling = new BitSet(allNodes);
    for (int node = 0; node < allNodes; node++) {
      isDangling.set(node, degrees[node] == 0);
    }
    needed.or(isDangling);
    int[] nodes = needed.stream().toArray();
    int[] places = new int[allNodes];
    rows = new long[nodes.length];
    for (int place = 0; place < nodes.length; place++) {
      places[nodes[place]] = place;
      rows[place] = nodes[place];
    }
    sources = Arrays.stream(edgeSources).map(node -> places[node]).toArray();
    own = Arrays.copyOfRange(places, firstNode, endNode);
    dangling = isDangling.stream().map(node -> places[node]).toArray();
    ranks = new float[rows.length];
    residuals = new float[endNode - firstNode];
  }

  /// The part of a worker: a run of nodes with about as many nodes and in-edges as any other's.
  static Part of(Graph graph, int worker, int workers, double damping) {
    int[] weights = new int[graph.nodes()];
    Arrays.fill(weights, 1);
    for (int target : graph.targets()) {
      weights[target]++;
    }
    long all = (long) graph.nodes() + graph.edges();
    return new Part(
        graph,
        nodeAt(weights, all * worker / workers),
        nodeAt(weights, all * (worker + 1) / workers),
        damping);
  }

  /// The first node before which nodes of this weight or more lie.
  private static int nodeAt(int[] weights, long weight) {
    long before = 0;
    int node = 0;
    while (node < weights.length && before < weight) {
      before += weights[node++];
    }
    return node;
  }

  /// Reads ranks and computes the residuals of own nodes.
  ///
  /// @return the sum of their absolute values; NaN when a rank is
  double sweep(ParameterTable table) {
    table.read(rows, rows.length, ranks);
    double lost = 0;
    for (int place : dangling) {
      lost += ranks[place];
    }
    double base = (1 - damping + damping * lost) / allNodes;
    double sum = 0;
    for (int i = 0; i < own.length; i++) {
      double inflow = 0;
      for (int edge = starts[i]; edge < starts[i + 1]; edge++) {
        inflow += ranks[sources[edge]] * weights[edge];
      }
      double residual = ranks[own[i]] - base - damping * inflow;
      residuals[i] = (float) residual;
      sum += Math.abs(residual);
    }
    return sum;
  }

  void scaleResiduals(float factor) {
    for (int i = 0; i < residuals.length; i++) {
      residuals[i] *= factor;
    }
  }

  float[] residuals() {
    return residuals;
  }

  int firstNode() {
    return firstNode;
  }

  /// {@return number of own nodes}
  int nodes() {
    return own.length;
  }
}
