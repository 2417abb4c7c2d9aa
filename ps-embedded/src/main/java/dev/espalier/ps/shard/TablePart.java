package dev.espalier.ps.shard;

import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.branch.PageRuns;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.memory.Page;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.optim.UpdateRule;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A shard's part of one table.
///
/// @param index of the table
/// @param spec the table
/// @param rule its update rule
/// @param layout where this shard's rows lie
record TablePart(int index, TableSpec spec, UpdateRule rule, PageLayout layout) {

  /// One optimizer step.
  ///
  /// @param stepSize learning rate and momentum
  /// @param stepNumber its number
  /// @param divisor what sums are divided by
  /// @param seen what the pushing worker had read; null when nothing was missed
  /// @param worker the pushing worker
  record Step(
      StepSize stepSize, long stepNumber, float divisor, @Nullable SeenPages seen, int worker) {

    /// A page as the worker had read it, null when it missed nothing.
    @Nullable Page seenPage(int table, PageTable pages, int page) {
      return seen == null ? null : seen.find(worker, table, pages, page);
    }
  }

  /// This part in pages of another size, with the same rows in each.
  TablePart withPageBytes(long pageBytes) {
    return new TablePart(index, spec, rule, layout.withPageBytes(pageBytes));
  }

  /// Checks that rows are of this part and values fit.
  void check(RowBatch batch) {
    check(batch.rows());
    long expected = (long) batch.rows().count() * spec.columns();
    if (batch.content().count() != expected) {
      throw new PsException(
          PsFault.BAD_REQUEST,
          "values for %d rows of table '%s' must have length %d but have %d"
              .formatted(batch.rows().count(), spec.name(), expected, batch.content().count()));
    }
  }

  /// Checks that rows are of this part.
  void check(RowSelection rows) {
    switch (rows) {
      case RowSelection.Range range -> {
        if (range.count() > 0) {
          checkRow(range.first());
          checkRow(range.first() + range.count() - 1);
        }
      }
      case RowSelection.Keys keys -> {
        for (long key : keys.keys()) {
          checkRow(key);
        }
      }
    }
  }

  private void checkRow(long row) {
    if (!layout.range().contains(row)) {
      throw new PsException(
          PsFault.BAD_REQUEST,
          "row of table '%s' must be in %s of this shard but is %d"
              .formatted(spec.name(), layout.range(), row));
    }
  }

  /// Remembers which pages a worker reads.
  void remember(PageTable pages, RowSelection rows, int worker, SeenPages seen) {
    PageRuns.forEach(rows, layout, (page, _, _, _) -> seen.remember(worker, index, pages, page));
  }

  /// How many fresh pages the batches would take, beside those in which they lie.
  int freshPages(PageTable pages, List<RowBatch> batches) {
    BitSet shared = new BitSet();
    for (RowBatch batch : batches) {
      if (batch.content() instanceof GradientPages) {
        continue;
      }
      PageRuns.forEach(
          batch.rows(),
          layout,
          (page, _, _, _) -> {
            if (pages.isShared(page)) {
              shared.set(page);
            }
          });
    }
    return shared.cardinality();
  }
}
