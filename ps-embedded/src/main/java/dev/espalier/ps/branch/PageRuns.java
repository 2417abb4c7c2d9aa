package dev.espalier.ps.branch;

import dev.espalier.ps.table.RowSelection;

/// Cuts selected rows into runs of consecutive rows that lie in one page.
public final class PageRuns {

  /// What is done with one run.
  public interface Visitor {
    /// Does it.
    ///
    /// @param page the page
    /// @param firstRow first row of the run
    /// @param rows number of rows
    /// @param position index of the first row in the selection
    void run(int page, long firstRow, int rows, int position);
  }

  private PageRuns() {}

  /// Visits the runs in the order of the selection.
  public static void forEach(RowSelection selection, PageLayout layout, Visitor visitor) {
    switch (selection) {
      case RowSelection.Range range -> forEach(range, layout, visitor);
      case RowSelection.Keys(long[] keys) -> forEach(keys, layout, visitor);
    }
  }

  private static void forEach(RowSelection.Range range, PageLayout layout, Visitor visitor) {
    int position = 0;
    while (position < range.count()) {
      long row = range.row(position);
      int page = layout.pageOf(row);
      int rows = (int) Math.min(range.count() - position, layout.endRowOf(page) - row);
      visitor.run(page, row, rows, position);
      position += rows;
    }
  }

  private static void forEach(long[] keys, PageLayout layout, Visitor visitor) {
    // Neighbours mostly lie in one page, and a division takes as long as the rest.
    int page = 0;
    long pageStart = 0;
    long pageEnd = 0;
    int position = 0;
    while (position < keys.length) {
      long row = keys[position];
      if (row < pageStart || row >= pageEnd) {
        page = layout.pageOf(row);
        pageStart = layout.firstRowOf(page);
        pageEnd = layout.endRowOf(page);
      }
      int most = (int) Math.min(keys.length - position, pageEnd - row);
      int rows = 1;
      while (rows < most && keys[position + rows] == row + rows) {
        rows++;
      }
      visitor.run(page, row, rows, position);
      position += rows;
    }
  }
}
