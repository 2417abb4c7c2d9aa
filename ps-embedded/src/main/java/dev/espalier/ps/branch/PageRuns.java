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
    int position = 0;
    while (position < selection.count()) {
      long row = selection.row(position);
      int page = layout.pageOf(row);
      int rows = runLength(selection, position, row, layout.endRowOf(page));
      visitor.run(page, row, rows, position);
      position += rows;
    }
  }

  private static int runLength(RowSelection selection, int position, long row, long endRow) {
    int most = (int) Math.min(selection.count() - position, endRow - row);
    if (selection instanceof RowSelection.Range) {
      return most;
    }
    int rows = 1;
    while (rows < most && selection.row(position + rows) == row + rows) {
      rows++;
    }
    return rows;
  }
}
