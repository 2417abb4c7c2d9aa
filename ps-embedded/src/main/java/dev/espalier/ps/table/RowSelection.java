package dev.espalier.ps.table;

/// Which rows of a table a read or an update is about.
public sealed interface RowSelection {

  /// Number of rows.
  int count();

  /// Row number of the `i`-th selected row.
  long row(int i);

  /// Rows `first, first + 1, ..., first + count - 1`.
  ///
  /// @param first first row, >= 0
  /// @param count number of rows, >= 0
  record Range(long first, int count) implements RowSelection {

    /// Checks the bounds.
    public Range {
      if (first < 0 || count < 0) {
        throw new IllegalArgumentException(
            "range must satisfy first >= 0, count >= 0 but is (%d, %d)".formatted(first, count));
      }
    }

    @Override
    public long row(int i) {
      return first + i;
    }
  }

  /// Rows by number, in any order; the array belongs to the selection.
  ///
  /// @param keys row numbers, each once within an update
  record Keys(long[] keys) implements RowSelection {
    @Override
    public int count() {
      return keys.length;
    }

    @Override
    public long row(int i) {
      return keys[i];
    }
  }
}
