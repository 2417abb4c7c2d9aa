package dev.espalier.ps.shard;

import dev.espalier.ps.branch.BranchPages;
import dev.espalier.ps.branch.HeldRows;
import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.branch.PageRuns;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.StepKernels;
import dev.espalier.ps.kernel.StepSpan;
import dev.espalier.ps.machine.Cores;
import dev.espalier.ps.memory.MemoryBudget;
import dev.espalier.ps.memory.Page;
import dev.espalier.ps.memory.PagePool;
import dev.espalier.ps.memory.PagePools;
import dev.espalier.ps.memory.SharedTier;
import dev.espalier.ps.memory.StreamingCopy;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowValues;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;

/// Works on pages of the host, run by run.
final class HostWork implements RowWork {
  /// What is written to smaller tables is better left in the caches, where the next clock reads it.
  private static final long MIN_STREAMED_BYTES = 32 << 20;

  private final RowKernels kernels;
  private final PagePools pools;
  private final Optional<SharedTier> shared;
  private final Optional<StreamingCopy> streaming = StreamingCopy.ofThisMachine();
  private final GatheredStep gathered;
  private final Cores cores = Cores.ofThisProcess();

  /// @param kernels the arithmetic
  /// @param budget what bounds the pages
  /// @param sharesPages whether other processes may read them
  HostWork(RowKernels kernels, MemoryBudget budget, boolean sharesPages) {
    this.kernels = kernels;
    gathered = new GatheredStep(kernels);
    shared = sharesPages ? SharedTier.ofSize(budget.limitBytes()) : Optional.empty();
    pools = shared.map(tier -> new PagePools(tier, budget)).orElseGet(() -> new PagePools(budget));
  }

  @Override
  public PagePools pools() {
    return pools;
  }

  @Override
  public Optional<SharedTier> sharedPages() {
    return shared;
  }

  @Override
  public boolean isOnHost() {
    return true;
  }

  @Override
  public void reserve(PagePool pool, int pages) {
    pool.reserve(pages);
  }

  @Override
  public ShardReply collect(
      TablePart table, BranchPages pages, ShardCommand.Read read, RowCollector collector) {
    PageLayout layout = table.layout();
    PageTable pageTable = pages.table(table.index());
    collector.begin(read.rows().count(), layout.columns(), read.staleness().bound());
    if (collector.holdsRows(read.rows())) {
      collector.take(HeldRows.of(pageTable, read.rows()));
      return collector.end();
    }
    PageRuns.Visitor taker =
        (page, firstRow, count, position) ->
            collector.take(pageTable.page(page), layout.offsetIn(page, firstRow), position, count);
    if (collector.isConcurrent() && read.rows() instanceof RowSelection.Range range) {
      SharedRuns.forEach(cores, range, layout, taker);
    } else {
      PageRuns.forEach(read.rows(), layout, taker);
    }
    return collector.end();
  }

  @Override
  public void assign(TablePart table, BranchPages pages, RowBatch batch) {
    PageLayout layout = table.layout();
    PageTable pageTable = pages.table(table.index());
    int columns = layout.columns();
    PageRuns.forEach(
        batch.rows(),
        layout,
        (page, firstRow, count, position) ->
            MemorySegment.copy(
                batch.values(),
                position * columns,
                pageTable.owned(page).segment(),
                ValueLayout.JAVA_FLOAT,
                layout.offsetIn(page, firstRow),
                count * columns));
  }

  @Override
  public void update(
      TablePart table, BranchPages pages, List<RowBatch> batches, TablePart.Step step) {
    PageTable pageTable = pages.table(table.index());
    for (RowBatch batch : batches) {
      if (batch.content() instanceof GradientPages gradients) {
        updateOver(gradients, table, pageTable, step);
        continue;
      }
      try (var steps = new PageSteps(table, pageTable, step, cores)) {
        switch (batch.rows()) {
          case RowSelection.Range range -> {
            PageRuns.forEach(
                range,
                table.layout(),
                (page, firstRow, count, position) ->
                    steps.add(
                        stepOf(table, pageTable, batch, step, page, firstRow, count, position)));
            steps.take();
          }
          case RowSelection.Keys keys -> {
            // Another run may lie in the same page.
            PageRuns.Visitor atOnce =
                (page, firstRow, count, position) ->
                    steps.takeNow(
                        stepOf(table, pageTable, batch, step, page, firstRow, count, position));
            if (step.seen() == null && GatheredStep.suits(table.layout())) {
              gathered.take(table, pageTable, batch, step, atOnce);
            } else {
              PageRuns.forEach(keys, table.layout(), atOnce);
            }
          }
        }
      }
    }
  }

  private static boolean isPastCaches(TablePart table) {
    PageLayout layout = table.layout();
    return layout.planes() * layout.parameterBytes() >= MIN_STREAMED_BYTES;
  }

  /// Writes the pages as they will be over the gradients.
  private void updateOver(
      GradientPages gradients, TablePart table, PageTable pages, TablePart.Step step) {
    PageLayout layout = table.layout();
    try (var steps = new PageSteps(table, pages, step, cores)) {
      for (int page = 0; page < layout.pageCount(); page++) {
        Page seen = step.seenPage(table.index(), pages, page);
        Page target = gradients.take(page);
        target.touch(pages.pool());
        int rows = (int) (layout.endRowOf(page) - layout.firstRowOf(page));
        StepSpan span =
            new StepSpan(
                pages.page(page).segment(),
                target.segment(),
                0,
                layout.planeBytes(),
                null,
                0,
                step.divisor(),
                rows * layout.columns(),
                seen == null ? null : seen.segment());
        steps.add(new PageSteps.One(page, target, span, intoFresh(table)));
      }
      steps.take();
    }
  }

  private StepKernels<StepSpan> intoFresh(TablePart table) {
    return isPastCaches(table) ? kernels.streaming() : kernels;
  }

  private PageSteps.One stepOf(
      TablePart table,
      PageTable pages,
      RowBatch batch,
      TablePart.Step step,
      int page,
      long firstRow,
      int rows,
      int position) {
    PageLayout layout = table.layout();
    Page seen = step.seenPage(table.index(), pages, page);
    boolean isWhole =
        firstRow == layout.firstRowOf(page) && firstRow + rows == layout.endRowOf(page);
    // A rule writes all it is given, so a whole page needs no copy even when it is shared.
    Page target = isWhole ? pages.target(page) : pages.owned(page);
    StepSpan span =
        new StepSpan(
            pages.page(page).segment(),
            target.segment(),
            layout.offsetIn(page, firstRow),
            layout.planeBytes(),
            batch.array(),
            batch.from() + position * layout.columns(),
            step.divisor(),
            rows * layout.columns(),
            seen == null ? null : seen.segment());
    boolean isFresh = target != pages.page(page);
    return new PageSteps.One(page, target, span, isFresh ? intoFresh(table) : kernels);
  }

  @Override
  public Optional<RowValues.InPages> gradientPages(TablePart table, BranchPages pages) {
    PageTable pageTable = pages.table(table.index());
    int count = table.layout().pageCount();
    if (!pageTable.areAllShared()) {
      return Optional.empty();
    }
    List<Page> fresh = pageTable.pool().tryAcquire(count);
    return fresh.size() < count
        ? Optional.empty()
        : Optional.of(
            new GradientPages(
                kernels,
                isPastCaches(table) ? streaming : Optional.empty(),
                cores,
                table.layout(),
                fresh));
  }

  @Override
  public void forgetFreed() {}

  @Override
  public long pagesInUse() {
    return pools.pagesInUse();
  }

  @Override
  public long bytesInUse() {
    return pools.bytesInUse();
  }

  @Override
  public MemoryBudget hostBudget() {
    return pools.budget();
  }

  @Override
  public void close() {
    pools.close();
  }
}
