package dev.espalier.tuner.core.search;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/// Probabilities of the cells of a choice: weighted counts plus the prior's weight for each cell
/// (Bergstra et al. 2011, section 4; pseudo-counts as in hyperopt).
final class CellDensity {
  private final double[] probabilities;

  private CellDensity(double[] probabilities) {
    this.probabilities = probabilities;
  }

  static CellDensity of(int cells, List<Integer> values, double[] ages, double priorWeight) {
    double[] counts = new double[cells];
    Arrays.fill(counts, priorWeight);
    for (int i = 0; i < values.size(); i++) {
      counts[values.get(i)] += ages[i];
    }
    double total = Arrays.stream(counts).sum();
    return new CellDensity(Arrays.stream(counts).map(count -> count / total).toArray());
  }

  int sample(SplittableRandom random) {
    return Draws.index(probabilities, random);
  }

  double logDensity(int cell) {
    return Math.log(probabilities[cell]);
  }
}
