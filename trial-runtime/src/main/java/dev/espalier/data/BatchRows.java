package dev.espalier.data;

import java.util.Arrays;

/// The distinct table rows that one batch touches, numbered in the order of their first use.
///
/// A sparse model reads and adds each row once per clock however often the batch uses it.
public final class BatchRows {
  private final int[] slots;
  private final int[] batches;
  private int batch = 1;
  private long[] rows = new long[64];
  private int count;

  /// @param tableRows rows of the table, >= 1
  public BatchRows(int tableRows) {
    slots = new int[tableRows];
    batches = new int[tableRows];
  }

  /// Forgets all rows.
  public void clear() {
    count = 0;
    batch++;
    if (batch == Integer.MIN_VALUE) {
      Arrays.fill(batches, 0);
      batch = 1;
    }
  }

  /// Starts anew with the rows of some examples' features.
  ///
  /// @param samples numbers of the examples
  public void collect(SparseExamples examples, int[] samples) {
    clear();
    for (int sample : samples) {
      int end = examples.starts()[sample + 1];
      for (int entry = examples.starts()[sample]; entry < end; entry++) {
        slot(examples.indices()[entry]);
      }
    }
  }

  /// {@return the number of `row` among the rows since `clear`, from 0; new rows get the next}
  public int slot(int row) {
    if (batches[row] == batch) {
      return slots[row];
    }
    if (count == rows.length) {
      rows = Arrays.copyOf(rows, 2 * count);
    }
    batches[row] = batch;
    slots[row] = count;
    rows[count] = row;
    return count++;
  }

  /// {@return how many distinct rows there are}
  public int count() {
    return count;
  }

  /// {@return the rows by their number; only the first `count` entries mean anything}
  public long[] rows() {
    return rows;
  }
}
