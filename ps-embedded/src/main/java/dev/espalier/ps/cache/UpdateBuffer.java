package dev.espalier.ps.cache;

import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.table.ArraySource;
import dev.espalier.ps.table.PageSource;
import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.TableAccess;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.List;

/// Adds up the updates of one clock of one worker before they leave.
///
/// Every row that was added to is sent once, with the sum in the order of the additions; rows that
/// were not added to are not sent. Memory is taken at a table's first update. Not thread-safe.
public final class UpdateBuffer {
  private final List<TableSpec> specs;
  private final int shards;
  private final RowKernels kernels;
  private final ArraySource arrays;
  private final PageSource pages;
  private final TableUpdates[] tables;

  /// Creates an empty buffer.
  ///
  /// @param specs the tables
  /// @param shards number of shards
  /// @param kernels the arithmetic
  /// @param arrays gives arrays of a length, with whatever content
  /// @param pages gives pages for sums that had better lie there
  public UpdateBuffer(
      List<TableSpec> specs, int shards, RowKernels kernels, ArraySource arrays, PageSource pages) {
    this.specs = List.copyOf(specs);
    this.shards = shards;
    this.kernels = kernels;
    this.arrays = arrays;
    this.pages = pages;
    tables = new TableUpdates[specs.size()];
  }

  /// Adds to consecutive rows.
  ///
  /// @param values `count x columns` from `offset` on
  public void add(int table, long first, int count, float[] values, int offset) {
    updates(table).add(first, count, values, offset);
  }

  /// Adds to some rows; a row may occur more than once.
  ///
  /// @param values `count x columns`
  public void add(int table, long[] rows, int count, float[] values) {
    updates(table).add(rows, count, values);
  }

  private TableUpdates updates(int table) {
    TableUpdates updates = tables[table];
    if (updates == null) {
      TableSpec spec = specs.get(table);
      updates =
          spec.access() == TableAccess.SPARSE
              ? new SparseUpdates(table, spec, kernels)
              : new DenseUpdates(table, spec, kernels, arrays, pages);
      tables[table] = updates;
    }
    return updates;
  }

  /// Whether nothing was added since the last [#drain].
  public boolean isEmpty() {
    for (TableUpdates updates : tables) {
      if (updates != null && updates.isTouched()) {
        return false;
      }
    }
    return true;
  }

  /// Takes everything out.
  ///
  /// @return batches by shard; a table that was touched has at least an empty batch for each shard
  public List<List<RowBatch>> drain() {
    List<List<RowBatch>> byShard = new ArrayList<>();
    for (int shard = 0; shard < shards; shard++) {
      byShard.add(new ArrayList<>());
    }
    for (int table = 0; table < tables.length; table++) {
      TableUpdates updates = tables[table];
      if (updates != null && updates.isTouched()) {
        List<List<RowBatch>> batches =
            updates.batches(new Partitioner(specs.get(table).rows(), shards));
        for (int shard = 0; shard < shards; shard++) {
          byShard.get(shard).addAll(orTouch(table, batches.get(shard)));
        }
        updates.clear();
      }
    }
    return byShard;
  }

  /// Forgets everything, and gives memory back.
  public void drop() {
    for (TableUpdates updates : tables) {
      if (updates != null) {
        updates.drop();
      }
    }
  }

  private static List<RowBatch> orTouch(int table, List<RowBatch> batches) {
    return batches.isEmpty() ? List.of(RowBatch.empty(table)) : batches;
  }
}
