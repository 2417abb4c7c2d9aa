package dev.espalier.tuner.core.search;

import java.util.Comparator;
import java.util.List;

/// Says when a search has seen enough: the best speeds lie close together (MLtuner, section 4.3).
///
/// With s_1 >= s_2 >= ... the speeds above zero and n = `best`, stop when `1 - s_n / s_1 < within`.
///
/// @param best n, >= 1
/// @param within share of the best speed, >= 0; with 0 the rule is never met
public record StopRule(int best, double within) {
  public StopRule {
    if (best < 1) {
      throw new IllegalArgumentException("best must be >= 1 but is " + best);
    }
    if (!(within >= 0)) {
      throw new IllegalArgumentException("within must be >= 0 but is " + within);
    }
  }

  /// {@return whether to stop; never with fewer than `best` speeds above zero}
  public boolean isMet(List<Observation> observations) {
    return spread(observations) < within;
  }

  /// {@return `1 - s_n / s_1`; NaN with fewer than `best` speeds above zero}
  public double spread(List<Observation> observations) {
    List<Double> speeds =
        observations.stream()
            .map(Observation::score)
            .filter(speed -> speed > 0)
            .sorted(Comparator.reverseOrder())
            .toList();
    return speeds.size() < best ? Double.NaN : 1 - speeds.get(best - 1) / speeds.getFirst();
  }
}
