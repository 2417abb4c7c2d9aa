package dev.espalier.ps.shard;

import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.branch.PageRuns;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.StepSpan;
import dev.espalier.ps.memory.Page;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.optim.UpdateRule;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A shard's part of one table: reads, assigns and updates rows of a branch's page table.
///
/// @param index of the table
/// @param spec the table
/// @param rule its update rule
/// @param layout where this shard's rows lie
record TablePart(int index, TableSpec spec, UpdateRule rule, PageLayout layout) {

  /// One optimizer step.
  ///
  /// @param kernels the arithmetic
  /// @param stepSize learning rate and momentum
  /// @param stepNumber its number
  /// @param divisor what sums are divided by
  /// @param seen what the pushing worker had read; null when nothing was missed
  /// @param worker the pushing worker
  record Step(
      RowKernels kernels,
      StepSize stepSize,
      long stepNumber,
      float divisor,
      @Nullable SeenPages seen,
      int worker) {}

  /// Checks that rows are of this part and values fit.
  void check(RowBatch batch) {
    check(batch.rows());
    long expected = (long) batch.rows().count() * spec.columns();
    if (batch.values().length != expected) {
      throw new PsException(
          PsFault.BAD_REQUEST,
          "values for %d rows of table '%s' must have length %d but have %d"
              .formatted(batch.rows().count(), spec.name(), expected, batch.values().length));
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

  /// Hands parameters out.
  ShardReply collect(PageTable pages, ShardCommand.Read read, RowCollector collector) {
    collector.begin(read.rows().count(), spec.columns(), read.staleness().bound());
    PageRuns.forEach(
        read.rows(),
        layout,
        (page, firstRow, count, position) ->
            collector.take(pages.page(page), layout.offsetOf(firstRow), position, count));
    return collector.end();
  }

  /// Remembers which pages a worker reads.
  void remember(PageTable pages, RowSelection rows, int worker, SeenPages seen) {
    PageRuns.forEach(rows, layout, (page, _, _, _) -> seen.remember(worker, index, pages, page));
  }

  /// Sets parameters; optimizer state stays.
  void assign(PageTable pages, RowBatch batch) {
    int columns = spec.columns();
    PageRuns.forEach(
        batch.rows(),
        layout,
        (page, firstRow, count, position) ->
            MemorySegment.copy(
                batch.values(),
                position * columns,
                pages.owned(page).segment(),
                ValueLayout.JAVA_FLOAT,
                layout.offsetOf(firstRow),
                count * columns));
  }

  /// How many fresh pages the batches would take.
  int freshPages(PageTable pages, List<RowBatch> batches) {
    BitSet shared = new BitSet();
    for (RowBatch batch : batches) {
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

  /// Applies one optimizer step to the rows of the batches.
  void update(PageTable pages, List<RowBatch> batches, Step step) {
    for (RowBatch batch : batches) {
      PageRuns.forEach(
          batch.rows(),
          layout,
          (page, firstRow, count, position) ->
              updateRun(pages, batch, step, page, firstRow, count, position));
    }
  }

  private void updateRun(
      PageTable pages, RowBatch batch, Step step, int page, long firstRow, int rows, int position) {
    SeenPages seenPages = step.seen();
    MemorySegment seen =
        seenPages == null ? null : seenPages.find(step.worker(), index, pages, page);
    boolean isWhole =
        firstRow == layout.firstRowOf(page) && firstRow + rows == layout.endRowOf(page);
    // A rule writes all it is given, so a whole page needs no copy even when it is shared.
    Page target = isWhole ? pages.target(page) : pages.owned(page);
    rule.step(
        step.kernels(),
        new StepSpan(
            pages.page(page).segment(),
            target.segment(),
            layout.offsetOf(firstRow),
            layout.planeBytes(),
            batch.values(),
            position * spec.columns(),
            step.divisor(),
            rows * spec.columns(),
            seen),
        step.stepSize(),
        step.stepNumber());
    pages.install(page, target);
  }
}
