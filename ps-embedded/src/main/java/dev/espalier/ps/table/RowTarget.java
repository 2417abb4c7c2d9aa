package dev.espalier.ps.table;

import org.jspecify.annotations.Nullable;

/// Where the rows of a read are put: one after another, or each at its own place.
///
/// Until the read is answered the array is written by others.
///
/// @param values receives the rows
/// @param offset index in `values` of the first row, or of row 0 of `places`
/// @param columns floats per row
/// @param places of each selected row, in rows from `offset` on; null when they follow each other
public record RowTarget(float[] values, int offset, int columns, int @Nullable [] places) {

  /// Whether the rows follow each other in the order of the selection.
  public boolean isContiguous() {
    return places == null;
  }

  /// Index in `values` at which a selected row begins.
  ///
  /// @param position of the row in the selection
  public int indexOf(int position) {
    return offset + (places == null ? position : places[position]) * columns;
  }

  /// Puts rows that lie in an array.
  ///
  /// @param rows `count x columns` floats in the order of the selection
  public void put(float[] rows) {
    int count = rows.length / columns;
    if (places == null) {
      System.arraycopy(rows, 0, values, offset, rows.length);
      return;
    }
    for (int i = 0; i < count; i++) {
      System.arraycopy(rows, i * columns, values, indexOf(i), columns);
    }
  }
}
