package dev.espalier.runtime.check;

import dev.espalier.api.model.BranchId;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What of a run can be compared with another run that should be the same.
///
/// @param clocks losses and samples of each clock
/// @param metrics what each worker measured at the end
/// @param parameters at the end
record Sighting(
    Trial.Clocks clocks, List<Map<String, Double>> metrics, Trial.Parameters parameters) {
  /// Runs some clocks of a branch and looks at it.
  static Sighting of(Trial trial, BranchId branch, int count) throws InterruptedException {
    Trial.Clocks clocks = trial.run(branch, count);
    return new Sighting(
        clocks,
        trial.evaluate(branch).stream().map(one -> one.metrics()).toList(),
        trial.parameters(branch));
  }

  /// {@return where the two differ first, in words; empty when they are the same, bit for bit}
  Optional<String> difference(Sighting other) {
    for (int clock = 0; clock < clocks.count(); clock++) {
      double mine = clocks.meanLoss(clock);
      double others = other.clocks.meanLoss(clock);
      if (Double.doubleToLongBits(mine) != Double.doubleToLongBits(others)) {
        return Optional.of("loss %s against %s in clock %d".formatted(mine, others, clock + 1));
      }
    }
    for (String table : parameters.hash().keySet()) {
      if (!parameters.hash().get(table).equals(other.parameters.hash().get(table))) {
        return Optional.of("the values of table " + table);
      }
    }
    if (!metrics.equals(other.metrics)) {
      return Optional.of("evaluate gives %s against %s".formatted(metrics, other.metrics));
    }
    return Optional.empty();
  }
}
