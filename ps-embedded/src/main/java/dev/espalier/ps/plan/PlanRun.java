package dev.espalier.ps.plan;

import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowSlots;
import dev.espalier.ps.table.RowValues;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// One worker's way along a plan, clock by clock: which access comes next, and the updates so far.
///
/// An access that is not the next one of the plan is not served; the caller then goes the general
/// way for the rest of the clock. Not thread-safe.
public final class PlanRun {
  private static final int NO_SINGLE = Integer.MIN_VALUE;

  private final AccessPlan plan;
  private final AccessLog log;
  private final int[] columns;
  private final int shards;
  private final RowKernels kernels;
  private final IntFunction<float[]> arrays;
  private final PlanOptions options;
  private final float[] @Nullable [] sums;
  private final @Nullable RowSlots[] readSlots;
  private final @Nullable RowSlots[] updateSlots;
  private final List<List<RowBatch>> single;

  /* Slot of the row of each access to one row of a single float, as PageRank's are; complemented for
   * a first update, and NO_SINGLE of other accesses. Empty where rows are not found by slot, or updates
   * not added up. Such an access is a load or a store, so the way to it must be short enough to be
   * compiled into the loop that makes it. */
  private final int[] singles;

  /// The rows of the clock by table and slot; null until they are here.
  private float @Nullable [] @Nullable [] rows;

  private int next;

  /// Starts at the first access.
  ///
  /// @param plan the plan
  /// @param columns floats per row of each table
  /// @param shards number of shards
  /// @param kernels the arithmetic
  /// @param arrays gives arrays of a length, with whatever content
  /// @param options which optimisations to use
  public PlanRun(
      AccessPlan plan,
      int[] columns,
      int shards,
      RowKernels kernels,
      IntFunction<float[]> arrays,
      PlanOptions options) {
    this.plan = plan;
    this.log = plan.log;
    this.columns = columns.clone();
    this.shards = shards;
    this.kernels = kernels;
    this.arrays = arrays;
    this.options = options;
    singles =
        options.usesSlots() && options.combinesUpdates() ? singles(plan, columns) : new int[0];
    sums = new float[columns.length][];
    readSlots = new RowSlots[columns.length];
    updateSlots = new RowSlots[columns.length];
    single = new ArrayList<>();
    for (int shard = 0; shard < shards; shard++) {
      single.add(new ArrayList<>());
    }
    if (!options.usesSlots()) {
      for (int table = 0; table < columns.length; table++) {
        readSlots[table] = hashed(plan.reads(table));
        updateSlots[table] = hashed(plan.updates(table));
      }
    }
  }

  private static int[] singles(AccessPlan plan, int[] columns) {
    int[] singles = new int[plan.log.size()];
    for (int access = 0; access < singles.length; access++) {
      boolean isSingle =
          plan.log.count(access) == 1
              && columns[plan.log.table(access)] == 1
              && plan.places[access] >= 0;
      int place = plan.stores[access] ? ~plan.places[access] : plan.places[access];
      singles[access] = isSingle ? place : NO_SINGLE;
    }
    return singles;
  }

  private static @Nullable RowSlots hashed(@Nullable PackedRows packed) {
    if (packed == null) {
      return null;
    }
    RowSlots slots = new RowSlots();
    for (long row : packed.rows()) {
      slots.slotOf(row);
    }
    return slots;
  }

  /// The plan.
  public AccessPlan plan() {
    return plan;
  }

  /// Goes back to the first access and forgets the updates and the rows of the clock.
  public void restart() {
    next = 0;
    rows = null;
    single.forEach(List::clear);
  }

  /// Number of accesses made since the restart.
  public int made() {
    return next;
  }

  /// Whether an access made since the restart was an update.
  public boolean hasUpdates() {
    return IntStream.range(0, next).anyMatch(log::isUpdate);
  }

  /// Whether all accesses of the clock were made.
  public boolean isComplete() {
    return next == log.size();
  }

  /// Whether the next access reads these rows.
  public boolean isNextRead(int table, long first, int count) {
    return next < log.size()
        && log.isRange(next, AccessLog.head(false, false, table), first, count);
  }

  /// Whether the next access reads these rows.
  public boolean isNextRead(int table, long[] rows, int count) {
    return next < log.size() && log.isRows(next, AccessLog.head(false, true, table), rows, count);
  }

  /// Passes by the next access, which the caller served in another way.
  public void skip() {
    next++;
  }

  /// The rows of the clock are here.
  ///
  /// @param values the rows that the plan reads, by table and slot; null of tables without
  public void serve(float[] @Nullable [] values) {
    rows = values;
  }

  /// The rows of the clock are not here any more.
  public void forgetRows() {
    rows = null;
  }

  /// Serves the next access if it reads this row, which is a single float, and the rows of the
  /// clock are here.
  ///
  /// @return whether it does
  public boolean readSingle(int table, long row, float[] target, int offset) {
    int access = next;
    float @Nullable [] @Nullable [] here = rows;
    if (here == null || access >= singles.length || offset < 0 || offset >= target.length) {
      return false;
    }
    int slot = singles[access];
    if (slot == NO_SINGLE || !log.is(access, AccessLog.head(false, false, table), row)) {
      return false;
    }
    float[] values = here[table];
    if (values == null) {
      return false;
    }
    target[offset] = values[slot];
    next = access + 1;
    return true;
  }

  /// Serves the next access if it updates this row, which is a single float.
  ///
  /// @return whether it does
  public boolean addSingle(int table, long row, float[] values, int offset) {
    int access = next;
    if (access >= singles.length || offset < 0 || offset >= values.length) {
      return false;
    }
    int slot = singles[access];
    if (slot == NO_SINGLE || !log.is(access, AccessLog.head(true, false, table), row)) {
      return false;
    }
    float[] buffer = sums[table];
    if (buffer == null) {
      buffer = buffer(table);
    }
    if (slot < 0) {
      buffer[~slot] = values[offset];
    } else {
      buffer[slot] += values[offset];
    }
    next = access + 1;
    return true;
  }

  /// Serves the next access, a read, from the rows of the clock by slot.
  ///
  /// @param values the rows that the plan reads of the table, by slot
  /// @param target receives the rows
  /// @param offset where in `target`
  public void read(int table, float[] values, float[] target, int offset) {
    int access = next++;
    int width = columns[table];
    int place = plan.places[access];
    int count = log.count(access);
    RowSlots hash = readSlots[table];
    if (hash != null) {
      for (int k = 0; k < count; k++) {
        System.arraycopy(
            values, hash.slotOf(log.row(access, k)) * width, target, offset + k * width, width);
      }
    } else if (place < 0) {
      kernels.gather(values, plan.slots, ~place, count, width, target, offset);
    } else {
      System.arraycopy(values, place * width, target, offset, count * width);
    }
  }

  /// Serves the next access if it updates these rows.
  ///
  /// @return whether it does
  public boolean add(int table, long first, int count, float[] values, int offset) {
    if (next == log.size()
        || !log.isRange(next, AccessLog.head(true, false, table), first, count)) {
      return false;
    }
    add(table, count, values, offset);
    return true;
  }

  /// Serves the next access if it updates these rows.
  ///
  /// @return whether it does
  public boolean add(int table, long[] rows, int count, float[] values) {
    if (next == log.size() || !log.isRows(next, AccessLog.head(true, true, table), rows, count)) {
      return false;
    }
    add(table, count, values, 0);
    return true;
  }

  private void add(int table, int count, float[] values, int offset) {
    int access = next++;
    if (count == 0) {
      return;
    }
    int width = columns[table];
    int place = plan.places[access];
    if (!options.combinesUpdates()) {
      keep(access, table, count, values, offset);
      return;
    }
    float[] buffer = buffer(table);
    RowSlots hash = updateSlots[table];
    if (place < 0) {
      scatter(buffer, access, ~place, count, width, values, offset);
    } else {
      int from = (hash == null ? place : hash.slotOf(log.row(access, 0))) * width;
      if (plan.stores[access]) {
        System.arraycopy(values, offset, buffer, from, count * width);
      } else {
        kernels.add(values, offset, buffer, from, count * width);
      }
    }
  }

  private void scatter(
      float[] buffer, int access, int first, int count, int width, float[] values, int offset) {
    RowSlots hash = updateSlots[log.table(access)];
    if (hash == null) {
      kernels.scatterAdd(values, offset, plan.slots, first, count, width, buffer);
      return;
    }
    for (int k = 0; k < count; k++) {
      int slot = plan.slots[first + k];
      boolean isFirst = slot < 0;
      int to = hash.slotOf(log.row(access, k)) * width;
      if (isFirst) {
        System.arraycopy(values, offset + k * width, buffer, to, width);
      } else {
        kernels.add(values, offset + k * width, buffer, to, width);
      }
    }
  }

  /// Keeps an update as a batch of its own for each shard that has rows of it.
  private void keep(int access, int table, int count, float[] values, int offset) {
    int width = columns[table];
    PackedRows packed = packed(table);
    for (int shard = 0; shard < shards; shard++) {
      PackedRows.Part part = packed.parts().get(shard);
      int end = part.firstSlot() + part.rows().count();
      RowSlots rows = new RowSlots();
      float[] kept = new float[count * width];
      for (int k = 0; k < count; k++) {
        int slot = packed.slotOf(log.row(access, k));
        if (slot >= part.firstSlot() && slot < end) {
          int known = rows.slotOf(log.row(access, k));
          kernels.add(values, offset + k * width, kept, known * width, width);
        }
      }
      if (rows.size() > 0) {
        long[] keys = new long[rows.size()];
        Arrays.setAll(keys, rows::row);
        single
            .get(shard)
            .add(
                new RowBatch(
                    table, new RowSelection.Keys(keys), Arrays.copyOf(kept, keys.length * width)));
      }
    }
  }

  private PackedRows packed(int table) {
    PackedRows packed = plan.updates(table);
    if (packed == null) {
      throw new IllegalStateException("the plan does not update table " + table);
    }
    return packed;
  }

  private float[] buffer(int table) {
    float[] buffer = sums[table];
    if (buffer == null) {
      buffer = arrays.apply(packed(table).count() * columns[table]);
      sums[table] = buffer;
    }
    return buffer;
  }

  /// What takes updates out of a run that left its plan.
  public interface UpdateSink {
    /// @param values `count x columns` values of rows that occur once
    void add(int table, long[] rows, int count, float[] values);
  }

  /// Hands over the updates so far, each row's sum once, and restarts.
  public void leave(UpdateSink sink) {
    if (!options.combinesUpdates()) {
      for (List<RowBatch> batches : single) {
        for (RowBatch batch : batches) {
          RowSelection rows = batch.rows();
          long[] keys = new long[rows.count()];
          Arrays.setAll(keys, rows::row);
          sink.add(batch.table(), keys, keys.length, batch.values());
        }
      }
      restart();
      return;
    }
    for (int access = 0; access < next; access++) {
      if (log.isUpdate(access)) {
        leave(access, sink);
      }
    }
    restart();
  }

  /// Hands over the sums of the rows that an access updated first.
  private void leave(int access, UpdateSink sink) {
    int table = log.table(access);
    int width = columns[table];
    int count = log.count(access);
    int place = plan.places[access];
    long[] rows = new long[count];
    float[] values = new float[count * width];
    int found = 0;
    for (int k = 0; k < count; k++) {
      boolean isFirst = place < 0 ? plan.slots[~place + k] < 0 : plan.stores[access];
      if (isFirst) {
        int slot = place < 0 ? ~plan.slots[~place + k] : place + k;
        rows[found] = log.row(access, k);
        System.arraycopy(buffer(table), slot * width, values, found * width, width);
        found++;
      }
    }
    sink.add(table, rows, found, values);
  }

  /// Takes the updates of a complete clock out and restarts.
  ///
  /// @return batches by shard; a table that the plan updates has at least an empty batch for each
  ///   shard
  public List<List<RowBatch>> drain() {
    if (!isComplete()) {
      throw new IllegalStateException(
          "all %d accesses of the clock must be made but %d are".formatted(log.size(), next));
    }
    List<List<RowBatch>> byShard = new ArrayList<>();
    for (int shard = 0; shard < shards; shard++) {
      byShard.add(new ArrayList<>(single.get(shard)));
    }
    for (int table = 0; table < columns.length; table++) {
      PackedRows packed = plan.updates(table);
      if (packed != null) {
        for (int shard = 0; shard < shards; shard++) {
          drain(table, packed.parts().get(shard), byShard.get(shard));
        }
        sums[table] = null;
      }
    }
    restart();
    return byShard;
  }

  private void drain(int table, PackedRows.Part part, List<RowBatch> batches) {
    int count = part.rows().count();
    if (count == 0 || !options.combinesUpdates()) {
      batches.add(RowBatch.empty(table));
      return;
    }
    int width = columns[table];
    float[] buffer = buffer(table);
    batches.add(
        new RowBatch(
            table, part.rows(), RowValues.partOf(buffer, part.firstSlot() * width, count * width)));
  }
}
