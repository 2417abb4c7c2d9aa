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
  private final List<Partitioner> partitioners;
  private final List<@Nullable PackedRows> reads = new ArrayList<>();
  private final List<@Nullable PackedRows> updates = new ArrayList<>();
  private final BitSet[] updated;
  private final int[] places;
  private final boolean[] stores;
  private int[] slots = new int[16];
  private int slotCount;

  private PlanCompiler(AccessLog log, List<Partitioner> partitioners) {
    this.log = log;
    this.partitioners = partitioners;
    updated = new BitSet[partitioners.size()];
    Arrays.setAll(updated, _ -> new BitSet());
    places = new int[log.size()];
    stores = new boolean[log.size()];
  }

  /// Compiles a log, which then belongs to the plan.
  ///
  /// @param log the accesses of one clock
  /// @param partitioners of each table
  public static AccessPlan compile(AccessLog log, List<Partitioner> partitioners) {
    return new PlanCompiler(log, partitioners).compile();
  }

  private AccessPlan compile() {
    for (int table = 0; table < partitioners.size(); table++) {
      reads.add(pack(table, false));
      updates.add(pack(table, true));
    }
    for (int i = 0; i < log.size(); i++) {
      place(i);
    }
    return new AccessPlan(log, places, stores, Arrays.copyOf(slots, slotCount), reads, updates);
  }

  private @Nullable PackedRows pack(int table, boolean isUpdate) {
    Partitioner partitioner = partitioners.get(table);
    boolean isTouched = false;
    long rows = 0;
    for (int i = 0; i < log.size(); i++) {
      if (log.table(i) == table && log.isUpdate(i) == isUpdate) {
        isTouched = true;
        rows += log.count(i);
      }
    }
    if (!isTouched) {
      return null;
    }
    long[] distinct =
        partitioner.rows() <= MAX_MARKED_ROWS
            ? marked(table, isUpdate, (int) partitioner.rows())
            : sorted(table, isUpdate, Math.toIntExact(rows));
    return PackedRows.of(distinct, partitioner);
  }

  private long[] marked(int table, boolean isUpdate, int tableRows) {
    BitSet marks = new BitSet(tableRows);
    for (int i = 0; i < log.size(); i++) {
      if (log.table(i) == table && log.isUpdate(i) == isUpdate) {
        if (log.isByNumber(i)) {
          for (int k = 0; k < log.count(i); k++) {
            marks.set((int) log.row(i, k));
          }
        } else {
          int first = (int) log.row(i, 0);
          marks.set(first, first + log.count(i));
        }
      }
    }
    long[] rows = new long[marks.cardinality()];
    int next = 0;
    for (int row = marks.nextSetBit(0); row >= 0; row = marks.nextSetBit(row + 1)) {
      rows[next++] = row;
    }
    return rows;
  }

  private long[] sorted(int table, boolean isUpdate, int count) {
    long[] rows = new long[count];
    int next = 0;
    for (int i = 0; i < log.size(); i++) {
      if (log.table(i) == table && log.isUpdate(i) == isUpdate) {
        for (int k = 0; k < log.count(i); k++) {
          rows[next++] = log.row(i, k);
        }
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

  private void place(int i) {
    int table = log.table(i);
    PackedRows packed = log.isUpdate(i) ? updates.get(table) : reads.get(table);
    int count = log.count(i);
    if (packed == null || count == 0) {
      return;
    }
    if (!log.isByNumber(i) && !log.isUpdate(i)) {
      places[i] = packed.slotOf(log.row(i, 0));
      return;
    }
    if (!log.isByNumber(i) && isUniform(packed.slotOf(log.row(i, 0)), count, updated[table])) {
      int first = packed.slotOf(log.row(i, 0));
      places[i] = first;
      stores[i] = !updated[table].get(first);
      updated[table].set(first, first + count);
      return;
    }
    scatter(i, table, packed, count);
  }

  private static boolean isUniform(int first, int count, BitSet marks) {
    int end = first + count;
    return marks.get(first) ? marks.nextClearBit(first) >= end : isClear(first, end, marks);
  }

  private static boolean isClear(int first, int end, BitSet marks) {
    int next = marks.nextSetBit(first);
    return next < 0 || next >= end;
  }

  private void scatter(int i, int table, PackedRows packed, int count) {
    places[i] = ~slotCount;
    if (slots.length - slotCount < count) {
      slots = Arrays.copyOf(slots, Math.max(2 * slots.length, slotCount + count));
    }
    for (int k = 0; k < count; k++) {
      int slot = packed.slotOf(log.row(i, k));
      boolean isFirst = log.isUpdate(i) && !updated[table].get(slot);
      if (isFirst) {
        updated[table].set(slot);
      }
      slots[slotCount++] = isFirst ? ~slot : slot;
    }
  }
}
