package dev.espalier.programs.mf;

import dev.espalier.data.BatchRows;
import dev.espalier.sdk.ParameterTable;
import java.util.Arrays;

/// The rows of one table that a batch of ratings touches, and their gradients.
final class FactorRows {
  private final int columns;
  private final BatchRows rows;
  private float[] values = {};
  private float[] gradients = {};

  /// @param tableRows rows of the table
  /// @param columns columns of the table
  FactorRows(int tableRows, int columns) {
    this.columns = columns;
    rows = new BatchRows(tableRows);
  }

  /// Forgets all rows.
  void clear() {
    rows.clear();
  }

  /// {@return the offset of the row in `values` and `gradients` once they are read}
  int offset(int row) {
    return rows.slot(row) * columns;
  }

  /// Reads the rows that were asked for since `clear`.
  void read(ParameterTable table) {
    int size = rows.count() * columns;
    if (values.length < size) {
      values = new float[Math.max(size, 2 * values.length)];
      gradients = new float[values.length];
    }
    table.read(rows.rows(), rows.count(), values);
  }

  /// Says that the next clock will read the rows that were asked for since `clear`.
  void announce(ParameterTable table) {
    table.announce(rows.rows(), rows.count());
  }

  /// {@return the rows that were asked for since `clear`}
  long[] touched() {
    return Arrays.copyOf(rows.rows(), rows.count());
  }

  float[] values() {
    return values;
  }

  float[] gradients() {
    return gradients;
  }

  /// Sets the gradient sums of all rows to zero.
  void zeroGradients() {
    Arrays.fill(gradients, 0, rows.count() * columns, 0f);
  }

  void add(ParameterTable table) {
    table.add(rows.rows(), rows.count(), gradients);
  }
}
