package dev.espalier.ps.filter;

import dev.espalier.ps.table.RowSelection;

/// This worker's rows of hidden tables, on the branch that is selected; they lie in its own shard.
public interface OwnRows {

  /// Reads rows.
  ///
  /// @param table index of the hidden table
  /// @param rows numbered from this worker's first
  /// @param values receives `rows x columns`
  void read(int table, RowSelection rows, float[] values);

  /// Sets rows.
  ///
  /// @param table index of the hidden table
  /// @param rows numbered from this worker's first
  /// @param values `rows x columns`; belong to the shard afterwards
  void assign(int table, RowSelection rows, float[] values);
}
