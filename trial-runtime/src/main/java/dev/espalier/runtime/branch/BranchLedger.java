package dev.espalier.runtime.branch;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Setting;
import java.util.HashMap;
import java.util.Map;

/// What a worker knows of each branch beside its parameters: setting, clocks, place in the data.
///
/// Owned by the worker's loop. A fork copies the place in the data and the lineage clock, so
/// siblings see the same samples and the same random streams.
final class BranchLedger {
  private final Map<BranchId, Entry> entries = new HashMap<>();

  /// One branch.
  static final class Entry {
    private final Setting setting;
    private long clock;
    private long lineageClock;
    private long position;

    private Entry(Setting setting, long lineageClock, long position) {
      this.setting = setting;
      this.lineageClock = lineageClock;
      this.position = position;
    }

    Setting setting() {
      return setting;
    }

    /// {@return clocks of the branch itself}
    long clock() {
      return clock;
    }

    /// {@return clocks of the branch and its ancestors}
    long lineageClock() {
      return lineageClock;
    }

    /// {@return samples that all workers took on the branch and its ancestors}
    long position() {
      return position;
    }

    void advance(long samplesOfAllWorkers) {
      clock++;
      lineageClock++;
      position += samplesOfAllWorkers;
    }
  }

  void create(BranchId branch, Setting setting) {
    put(branch, new Entry(setting, 0, 0));
  }

  void restore(BranchId branch, Setting setting, long lineageClock, long position) {
    put(branch, new Entry(setting, lineageClock, position));
  }

  void fork(BranchId branch, BranchId parent, Setting setting) {
    Entry from = entry(parent);
    put(branch, new Entry(setting, from.lineageClock, from.position));
  }

  private void put(BranchId branch, Entry entry) {
    if (entries.putIfAbsent(branch, entry) != null) {
      throw new EspalierException(ErrorCode.INTERNAL, "branch " + branch + " exists already");
    }
  }

  Entry entry(BranchId branch) {
    Entry entry = entries.get(branch);
    if (entry == null) {
      throw new EspalierException(
          ErrorCode.INTERNAL, "there is no branch " + branch + "; there are " + entries.keySet());
    }
    return entry;
  }

  void free(BranchId branch) {
    entries.remove(branch);
  }
}
