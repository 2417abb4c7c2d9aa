package dev.espalier.ps.table;

/// A half-open range of rows.
///
/// @param first first row, >= 0
/// @param end row after the last one, >= `first`
public record RowRange(long first, long end) {

  /// Checks the order.
  public RowRange {
    if (first < 0 || end < first) {
      throw new IllegalArgumentException(
          "row range must satisfy 0 <= first <= end but is [%d, %d)".formatted(first, end));
    }
  }

  /// Number of rows.
  public long count() {
    return end - first;
  }

  /// Whether a row is in the range.
  public boolean contains(long row) {
    return row >= first && row < end;
  }
}
