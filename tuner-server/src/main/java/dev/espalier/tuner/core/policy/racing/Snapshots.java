package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.BranchState;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/// Branches at rest that a job can go back to, by what they are kept for.
///
/// One branch may serve for several things; it is freed when it serves for none.
final class Snapshots {
  /// What a snapshot is kept for.
  enum Purpose {
    /// The state before what runs now, should that blow up.
    LAST_GOOD,
    /// The state with the best validation result.
    BEST,
    /// The state before the last challenger was adopted, until the validation data agree.
    BEFORE_ADOPTION
  }

  private final Board board;
  private final Map<Purpose, Branch> kept = new EnumMap<>(Purpose.class);

  Snapshots(Board board) {
    this.board = board;
  }

  Optional<Branch> of(Purpose purpose) {
    return Optional.ofNullable(kept.get(purpose));
  }

  boolean isKept(Branch branch) {
    return kept.containsValue(branch);
  }

  /// Keeps a branch, which must not run on, in place of the one that was kept for the same.
  void keep(Purpose purpose, Branch branch) {
    Branch old = kept.put(purpose, branch);
    if (old != null) {
      freeUnlessKept(old, BranchState.KEPT);
    }
  }

  void release(Purpose purpose) {
    Branch old = kept.remove(purpose);
    if (old != null) {
      freeUnlessKept(old, BranchState.KEPT);
    }
  }

  /// Frees a branch that is not the mainline any more.
  void freeUnlessKept(Branch branch, BranchState lastState) {
    if (!isKept(branch)) {
      board.free(branch, lastState);
    }
  }

  /// Forgets all, because the workers that held them are gone.
  void forget() {
    kept.clear();
  }
}
