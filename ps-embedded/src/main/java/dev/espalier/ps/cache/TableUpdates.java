package dev.espalier.ps.cache;

import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.RowBatch;
import java.util.List;

/// The sums of one table's updates within one clock of one worker.
sealed interface TableUpdates permits DenseUpdates, SparseUpdates {

  /// Adds values to consecutive rows.
  void add(long first, int count, float[] values, int offset);

  /// Adds values to some rows; a row may occur more than once.
  void add(long[] rows, int count, float[] values);

  /// Whether anything was added, be it zero rows.
  boolean isTouched();

  /// The sums of the rows of each shard.
  List<List<RowBatch>> batches(Partitioner partitioner);

  /// Forgets everything that [#batches] gave.
  void clear();

  /// Forgets everything, and gives memory back.
  default void drop() {
    clear();
  }
}
