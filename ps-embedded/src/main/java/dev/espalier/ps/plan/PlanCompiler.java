package dev.espalier.ps.plan;

import dev.espalier.ps.table.Partitioner;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Makes an [AccessPlan] from the log of one clock.
public final class PlanCompiler {
  /* Up to so many rows a bit for each row of the table is cheaper than sorting. */
  private static final long MAX_MARKED_ROWS = 1L << 28;

  private final AccessLog log;
  private final boolean isUpdate;
  private final PackedRows packed;
  private final BitSet updated = new BitSet();
  private final int[] places;
  private final boolean[] stores;
  private int[] slots = new int[16];
  private int slotCount;

  private PlanCompiler(AccessLog log, boolean isUpdate, Partitioner partitioner) {
    this.log = log;
    this.isUpdate = isUpdate;
    packed = PackedRows.of(distinctRows(log, partitioner.rows()), partitioner);
    places = new int[log.size()];
    stores = new boolean[log.size()];
  }

  /// Compiles a log, which then belongs to the plan.
  ///
  /// @param log the accesses of one clock
  /// @param partitioners of each table
  public static AccessPlan compile(ClockLog log, List<Partitioner> partitioners) {
    List<@Nullable Track> reads = new ArrayList<>();
    List<@Nullable Track> updates = new ArrayList<>();
    for (int table = 0; table < partitioners.size(); table++) {
      reads.add(track(log.reads(table), false, partitioners.get(table)));
      updates.add(track(log.updates(table), true, partitioners.get(table)));
    }
    return new AccessPlan(log.size(), reads, updates);
  }

  private static @Nullable Track track(AccessLog log, boolean isUpdate, Partitioner partitioner) {
    return log.size() == 0 ? null : new PlanCompiler(log, isUpdate, partitioner).track();
  }

  private Track track() {
    for (int access = 0; access < log.size(); access++) {
      place(access);
    }
    return new Track(log, packed, places, stores, Arrays.copyOf(slots, slotCount));
  }

  private static long[] distinctRows(AccessLog log, long tableRows) {
    return tableRows <= MAX_MARKED_ROWS ? marked(log, (int) tableRows) : sorted(log);
  }

  private static long[] marked(AccessLog log, int tableRows) {
    BitSet marks = new BitSet(tableRows);
    for (int access = 0; access < log.size(); access++) {
      if (log.isByNumber(access)) {
        for (int k = 0; k < log.count(access); k++) {
          marks.set((int) log.row(access, k));
        }
      } else {
        int first = (int) log.row(access, 0);
        marks.set(first, first + log.count(access));
      }
    }
    long[] rows = new long[marks.cardinality()];
    int next = 0;
    for (int row = marks.nextSetBit(0); row >= 0; row = marks.nextSetBit(row + 1)) {
      rows[next++] = row;
    }
    return rows;
  }

  private static long[] sorted(AccessLog log) {
    long all = 0;
    for (int access = 0; access < log.size(); access++) {
      all += log.count(access);
    }
    long[] rows = new long[Math.toIntExact(all)];
    int next = 0;
    for (int access = 0; access < log.size(); access++) {
      for (int k = 0; k < log.count(access); k++) {
        rows[next++] = log.row(access, k);
      }
    }
    Arrays.sort(rows);
    int distinct = 0;
    for (long row : rows) {
      if (distinct == 0 || rows[distinct - 1] != row) {
        rows[distinct++] = row;
      }
    }
    return Arrays.copyOf(rows, distinct);
  }

  private void place(int access) {
    int count = log.count(access);
    if (count == 0) {
      return;
    }
    if (log.isByNumber(access)) {
      scatter(access, count);
      return;
    }
    int first = packed.slotOf(log.row(access, 0));
    if (isUpdate && !isUniform(first, first + count)) {
      scatter(access, count);
      return;
    }
    places[access] = first;
    stores[access] = isUpdate && !updated.get(first);
    updated.set(first, first + count);
  }

  /// Whether all of these slots were updated before, or none.
  private boolean isUniform(int first, int end) {
    if (updated.get(first)) {
      return updated.nextClearBit(first) >= end;
    }
    int next = updated.nextSetBit(first);
    return next < 0 || next >= end;
  }

  private void scatter(int access, int count) {
    places[access] = ~slotCount;
    if (slots.length - slotCount < count) {
      slots = Arrays.copyOf(slots, Math.max(2 * slots.length, slotCount + count));
    }
    for (int k = 0; k < count; k++) {
      int slot = packed.slotOf(log.row(access, k));
      boolean isFirst = isUpdate && !updated.get(slot);
      updated.set(slot);
      slots[slotCount++] = isFirst ? ~slot : slot;
    }
  }
}
