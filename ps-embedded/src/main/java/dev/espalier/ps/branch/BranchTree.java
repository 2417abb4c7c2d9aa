package dev.espalier.ps.branch;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Who descends from whom, and who is alive.
///
/// Remembers of a freed branch only that its number is taken. Not thread-safe.
public final class BranchTree {
  private static final int NO_PARENT = -1;

  /// Numbers below are used one after the other, so a bit for each is little; one far beyond must
  /// not cost a bit for each below.
  private static final int DENSE = 1 << 20;

  private final Map<Integer, Integer> parents = new HashMap<>();
  private final BitSet used = new BitSet();
  private final Set<Integer> usedBeyond = new HashSet<>();

  /// Adds a branch without a parent.
  public void addRoot(BranchRef root) {
    add(root, NO_PARENT);
  }

  /// Adds a branch forked from a living one.
  public void addChild(BranchRef child, BranchRef parent) {
    requireAlive(parent);
    add(child, parent.number());
  }

  private void add(BranchRef branch, int parent) {
    if (isUsed(branch)) {
      throw new PsException(
          PsFault.BRANCH_EXISTS,
          "%s %s; numbers are never used twice"
              .formatted(branch, isAlive(branch) ? "exists" : "existed and was freed"));
    }
    if (branch.number() < DENSE) {
      used.set(branch.number());
    } else {
      usedBeyond.add(branch.number());
    }
    parents.put(branch.number(), parent);
  }

  private boolean isUsed(BranchRef branch) {
    return branch.number() < DENSE
        ? used.get(branch.number())
        : usedBeyond.contains(branch.number());
  }

  /// Ends a branch; its children live on.
  public void free(BranchRef branch) {
    requireAlive(branch);
    parents.remove(branch.number());
  }

  /// Whether a branch exists and is not freed.
  public boolean isAlive(BranchRef branch) {
    return parents.containsKey(branch.number());
  }

  /// Whether a branch existed and is freed.
  public boolean isFreed(BranchRef branch) {
    return isUsed(branch) && !isAlive(branch);
  }

  /// Whether a living branch has no parent.
  public boolean isRoot(BranchRef branch) {
    return Integer.valueOf(NO_PARENT).equals(parents.get(branch.number()));
  }

  /// The parent of a living branch, alive or not; empty for a root and for a branch not alive.
  public Optional<BranchRef> parentOf(BranchRef branch) {
    return Optional.ofNullable(parents.get(branch.number()))
        .filter(number -> number != NO_PARENT)
        .map(BranchRef::new);
  }

  /// Number of living branches.
  public int size() {
    return parents.size();
  }

  /// The failure for a branch that is not alive.
  public PsException missing(BranchRef branch) {
    return new PsException(
        PsFault.NO_SUCH_BRANCH,
        "%s %s".formatted(branch, isFreed(branch) ? "has been freed" : "was never created"));
  }

  private void requireAlive(BranchRef branch) {
    if (!isAlive(branch)) {
      throw missing(branch);
    }
  }
}
