package dev.espalier.ps.cache;

import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowSlots;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// [TableUpdates] of the touched rows only, found by hash.
final class SparseUpdates implements TableUpdates {
  private static final int MIN_ROWS = 64;

  private final int table;
  private final int columns;
  private final RowKernels kernels;
  private final RowSlots slots = new RowSlots();
  private float[] sums;
  private boolean isTouched;

  SparseUpdates(int table, TableSpec spec, RowKernels kernels) {
    this.table = table;
    this.columns = spec.columns();
    this.kernels = kernels;
    sums = new float[MIN_ROWS * columns];
  }

  @Override
  public void add(long first, int count, float[] values, int offset) {
    isTouched = true;
    for (int i = 0; i < count; i++) {
      addRow(first + i, values, offset + i * columns);
    }
  }

  @Override
  public void add(long[] rows, int count, float[] values) {
    isTouched = true;
    for (int i = 0; i < count; i++) {
      addRow(rows[i], values, i * columns);
    }
  }

  private void addRow(long row, float[] values, int offset) {
    int known = slots.size();
    int slot = slots.slotOf(row);
    if (slot < known) {
      kernels.add(values, offset, sums, slot * columns, columns);
      return;
    }
    int needed = Math.multiplyExact(slot + 1, columns);
    if (needed > sums.length) {
      sums = Arrays.copyOf(sums, Math.clamp(2L * sums.length, needed, Integer.MAX_VALUE - 8));
    }
    System.arraycopy(values, offset, sums, slot * columns, columns);
  }

  @Override
  public boolean isTouched() {
    return isTouched;
  }

  @Override
  public List<List<RowBatch>> batches(Partitioner partitioner) {
    if (partitioner.shards() == 1) {
      return List.of(slots.size() == 0 ? List.of() : List.of(wholeBatch()));
    }
    int[] counts = new int[partitioner.shards()];
    int[] shards = new int[slots.size()];
    for (int slot = 0; slot < shards.length; slot++) {
      shards[slot] = partitioner.shardOf(slots.row(slot));
      counts[shards[slot]]++;
    }
    List<List<RowBatch>> byShard = new ArrayList<>();
    for (int shard = 0; shard < counts.length; shard++) {
      byShard.add(counts[shard] == 0 ? List.of() : List.of(batchOf(shard, counts[shard], shards)));
    }
    return byShard;
  }

  private RowBatch wholeBatch() {
    int count = slots.size();
    long[] keys = new long[count];
    Arrays.setAll(keys, slots::row);
    return new RowBatch(table, new RowSelection.Keys(keys), Arrays.copyOf(sums, count * columns));
  }

  private RowBatch batchOf(int shard, int count, int[] shards) {
    long[] keys = new long[count];
    float[] values = new float[count * columns];
    int next = 0;
    for (int slot = 0; slot < shards.length; slot++) {
      if (shards[slot] == shard) {
        keys[next] = slots.row(slot);
        System.arraycopy(sums, slot * columns, values, next * columns, columns);
        next++;
      }
    }
    return new RowBatch(table, new RowSelection.Keys(keys), values);
  }

  @Override
  public void clear() {
    slots.clear();
    isTouched = false;
  }
}
