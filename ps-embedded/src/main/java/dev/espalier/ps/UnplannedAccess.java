package dev.espalier.ps;

import dev.espalier.ps.BranchOnHand.Selected;
import dev.espalier.ps.table.RowSelection;
import java.util.Arrays;

/// Accesses to the branch on hand as each of them comes: a read asks the shards or looks at a copy,
/// an update is added to what leaves at the next tick.
///
/// Belongs to the session's thread.
final class UnplannedAccess {
  private final ShardCalls calls;
  private final BranchOnHand onHand;
  private final RowReader reader;
  private final SessionFilters filters;
  private final GatheredUpdates updates;

  UnplannedAccess(
      ShardCalls calls,
      BranchOnHand onHand,
      RowReader reader,
      SessionFilters filters,
      GatheredUpdates updates) {
    this.calls = calls;
    this.onHand = onHand;
    this.reader = reader;
    this.filters = filters;
    this.updates = updates;
  }

  private Selected selected() {
    calls.ready();
    return onHand.selected();
  }

  void read(int table, long first, int count, float[] target, int offset) {
    if (filters.readsCopy(table, selected().stepSize())) {
      filters.readCopy(table, new RowSelection.Range(first, count), target, offset);
    } else {
      reader.read(onHand.moment(), table, first, count, target, offset);
    }
  }

  void read(int table, long[] rows, int count, float[] target) {
    if (filters.readsCopy(table, selected().stepSize())) {
      filters.readCopy(table, new RowSelection.Keys(Arrays.copyOf(rows, count)), target, 0);
    } else {
      reader.read(onHand.moment(), table, rows, count, target);
    }
  }

  void add(int table, long first, int count, float[] values, int offset) {
    selected();
    updates.add(table, first, count, values, offset);
  }

  void add(int table, long[] rows, int count, float[] values) {
    selected();
    updates.add(table, rows, count, values);
  }
}
