package dev.espalier.ps.filter;

import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// Which rows of a table a worker has held back since its last push: a bit for each, 16 of them in
/// a float, which says so many exactly.
final class HeldMarks {
  private static final int BITS = 16;
  private static final int COLUMNS = 64;

  /// Rows of the table that one row of marks is for.
  static final int ROWS = BITS * COLUMNS;

  private final OwnRows own;
  private final int marks;
  private final int markRows;

  /// @param own this worker's rows of the hidden tables
  /// @param marks index of the hidden table
  /// @param rows of the table that the marks are for
  HeldMarks(OwnRows own, int marks, long rows) {
    this.own = own;
    this.marks = marks;
    markRows = Math.toIntExact(Math.ceilDiv(rows, ROWS));
  }

  /// The hidden table for the marks of another table, of one worker.
  static TableSpec table(TableSpec marked) {
    return TableSpec.sparse(
        marked.name() + "#held", Math.ceilDiv(marked.rows(), ROWS), COLUMNS, "sgd");
  }

  /// Marks rows.
  void add(RowSelection rows) {
    int count = rows.count();
    long[] keys =
        IntStream.range(0, count).mapToLong(i -> rows.row(i) / ROWS).sorted().distinct().toArray();
    float[] bits = new float[keys.length * COLUMNS];
    own.read(marks, new RowSelection.Keys(keys), bits);
    for (int i = 0; i < count; i++) {
      long row = rows.row(i);
      int inRow = (int) (row % ROWS);
      int place = Arrays.binarySearch(keys, row / ROWS) * COLUMNS + inRow / BITS;
      bits[place] = (int) bits[place] | 1 << inRow % BITS;
    }
    own.assign(marks, new RowSelection.Keys(keys), bits);
  }

  /// Takes all marks away.
  ///
  /// @return the rows that were marked, ascending
  long[] takeAll() {
    var all = new RowSelection.Range(0, markRows);
    float[] bits = new float[Math.multiplyExact(markRows, COLUMNS)];
    own.read(marks, all, bits);
    long[] rows =
        IntStream.range(0, bits.length)
            .filter(place -> bits[place] != 0)
            .boxed()
            .flatMapToLong(place -> rowsOf(place, (int) bits[place]))
            .toArray();
    if (rows.length > 0) {
      own.assign(marks, all, new float[bits.length]);
    }
    return rows;
  }

  private static LongStream rowsOf(int place, int bits) {
    return IntStream.range(0, BITS)
        .filter(bit -> (bits >> bit & 1) != 0)
        .mapToLong(bit -> (long) place * BITS + bit);
  }
}
