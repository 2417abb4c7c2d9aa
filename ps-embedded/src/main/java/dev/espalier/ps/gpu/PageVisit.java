package dev.espalier.ps.gpu;

/// A step of an access plan: consecutive pages of a table that are worked on together.
///
/// @param table index of the table
/// @param firstPage first page, >= 0
/// @param endPage page after the last one, > `firstPage`
/// @param writes whether the pages are written, so that a copy on the host becomes stale
public record PageVisit(int table, int firstPage, int endPage, boolean writes) {

  /// Checks the bounds.
  public PageVisit {
    if (table < 0 || firstPage < 0 || endPage <= firstPage) {
      throw new IllegalArgumentException(
          "a visit must satisfy table >= 0 and 0 <= firstPage < endPage but is (%d, %d, %d)"
              .formatted(table, firstPage, endPage));
    }
  }

  /// Number of pages.
  public int pages() {
    return endPage - firstPage;
  }
}
