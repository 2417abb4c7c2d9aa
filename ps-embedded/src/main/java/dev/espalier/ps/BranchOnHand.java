package dev.espalier.ps;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The branch that a session works on, and how many clocks this worker has ended on each.
///
/// Belongs to the session's thread.
final class BranchOnHand {

  /// @param staleness of its reads
  /// @param stepSize of its updates
  record Selected(BranchRef branch, Staleness staleness, StepSize stepSize) {}

  private final Map<BranchRef, Long> clocks = new HashMap<>();
  private @Nullable Selected selected;

  /// A branch was born.
  void add(BranchRef branch) {
    clocks.put(branch, 0L);
  }

  void remove(BranchRef branch) {
    clocks.remove(branch);
    if (isSelected(branch)) {
      selected = null;
    }
  }

  void select(Selected chosen) {
    selected = chosen;
  }

  boolean isSelected(BranchRef branch) {
    return selected != null && selected.branch().equals(branch);
  }

  /// @throws IllegalStateException when none is
  Selected selected() {
    Selected now = selected;
    if (now == null) {
      throw new IllegalStateException("a branch must be selected first");
    }
    return now;
  }

  /// Clocks that this worker has ended on a branch.
  long clock(BranchRef branch) {
    return clocks.getOrDefault(branch, 0L);
  }

  /// Where this worker is on the branch on hand.
  Moment moment() {
    Selected now = selected();
    return new Moment(now.branch(), clock(now.branch()), now.staleness());
  }

  /// Ends a clock of the branch on hand.
  void endClock() {
    clocks.merge(selected().branch(), 1L, Long::sum);
  }
}
