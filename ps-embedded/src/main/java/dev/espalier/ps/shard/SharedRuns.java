package dev.espalier.ps.shard;

import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.branch.PageRuns;
import dev.espalier.ps.machine.Cores;
import dev.espalier.ps.table.RowSelection;

/// Runs of a range of rows, cut at the pages, which several cores visit where there are many rows.
final class SharedRuns {
  /// What one core visits at a time, in floats.
  private static final int PIECE = 1 << 18;

  /// For fewer floats it is not worth while to wake another core.
  private static final int LEAST = 1 << 21;

  private SharedRuns() {}

  /// Visits them all, in any order and several at once.
  static void forEach(
      Cores cores, RowSelection.Range range, PageLayout layout, PageRuns.Visitor visitor) {
    int columns = layout.columns();
    if ((long) range.count() * columns < LEAST) {
      PageRuns.forEach(range, layout, visitor);
      return;
    }
    cores.share(
        range.count(),
        Math.ceilDiv(PIECE, columns),
        (first, count) ->
            PageRuns.forEach(
                new RowSelection.Range(range.row(first), count),
                layout,
                (page, firstRow, rows, position) ->
                    visitor.run(page, firstRow, rows, first + position)));
  }
}
