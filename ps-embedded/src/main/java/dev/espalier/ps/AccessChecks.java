package dev.espalier.ps;

import dev.espalier.ps.table.TableSpec;
import java.util.List;

/// Whether accesses are inside the tables and the caller's arrays.
///
/// @param tables those that programs see
record AccessChecks(List<TableSpec> tables) {

  void table(int table) {
    if (table < 0 || table >= tables.size()) {
      throw new IllegalArgumentException(
          "table must be in [0, %d) but is %d".formatted(tables.size(), table));
    }
  }

  void range(int table, long first, int count) {
    table(table);
    long rows = tables.get(table).rows();
    if (first < 0 || count < 0 || first > rows - count) {
      throw new IllegalArgumentException(
          "rows of table '%s' must be in [0, %d) but are [%d, %d)"
              .formatted(tables.get(table).name(), rows, first, first + count));
    }
  }

  void rows(int table, long[] keys, int count) {
    table(table);
    if (count < 0 || count > keys.length) {
      throw new IllegalArgumentException(
          "count must be in [0, %d] but is %d".formatted(keys.length, count));
    }
    long rows = tables.get(table).rows();
    for (int i = 0; i < count; i++) {
      if (keys[i] < 0 || keys[i] >= rows) {
        throw new IllegalArgumentException(
            "row of table '%s' must be in [0, %d) but is %d"
                .formatted(tables.get(table).name(), rows, keys[i]));
      }
    }
  }

  void room(int table, int count, int length, int offset) {
    long needed = (long) count * tables.get(table).columns();
    if (offset < 0 || needed > length - offset) {
      throw new IllegalArgumentException(
          "array must have %d values from index %d but has length %d"
              .formatted(needed, offset, length));
    }
  }
}
