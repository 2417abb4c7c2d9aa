package dev.espalier.ps.shard;

import dev.espalier.ps.branch.BranchPages;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.memory.PagePool;
import dev.espalier.ps.table.RowBatch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Applies the updates of a clock to a branch's pages, all or nothing.
///
/// Not thread-safe; the shard guards it.
final class ClockUpdates {
  private final List<TablePart> tables;
  private final int workers;
  private final RowKernels kernels;
  private final RowWork work;
  private long appliedCount;

  ClockUpdates(List<TablePart> tables, int workers, RowKernels kernels, RowWork work) {
    this.tables = tables;
    this.workers = workers;
    this.kernels = kernels;
    this.work = work;
  }

  /// Applies one clock of all workers as one optimizer step.
  ///
  /// @param pushes of one clock, by rank
  void applyTogether(List<ShardCommand.Push> pushes, BranchPages pages) {
    long samples = pushes.stream().mapToLong(ShardCommand.Push::samples).sum();
    ShardCommand.Push any = pushes.getFirst();
    if (samples == 0 || !any.stepSize().updates()) {
      return;
    }
    Map<Integer, List<RowBatch>> sums = new HashMap<>();
    for (TablePart table : tables) {
      List<List<RowBatch>> byRank = byRank(pushes, table);
      if (byRank.stream().anyMatch(batches -> !batches.isEmpty())) {
        sums.put(
            table.index(),
            RowSums.sum(
                byRank.stream().map(ClockUpdates::withRows).toList(),
                table.spec().columns(),
                kernels));
      }
    }
    apply(any, pages, sums, samples, null);
  }

  /// Applies one clock of one worker as its own optimizer step.
  ///
  /// @param seen what the worker had read
  void applyAlone(ShardCommand.Push push, BranchPages pages, SeenPages seen) {
    if (push.samples() > 0 && push.stepSize().updates()) {
      Map<Integer, List<RowBatch>> sums = new HashMap<>();
      byTable(push.batches())
          .forEach((index, batches) ->
              sums.put(
                  index,
                  RowSums.sum(
                      List.of(withRows(batches)), tables.get(index).spec().columns(), kernels)));
      apply(push, pages, sums, push.samples() * workers, seen);
    }
  }

  private void apply(
      ShardCommand.Push push,
      BranchPages pages,
      Map<Integer, List<RowBatch>> sums,
      long divisor,
      @Nullable SeenPages seen) {
    reserve(pages, sums);
    sums.forEach((index, batches) -> {
      TablePart table = tables.get(index);
      TablePart.Step step =
          new TablePart.Step(
              push.stepSize(),
              pages.nextStep(index),
              table.rule().takesMeans() ? divisor : 1,
              table.rule().looksBack() ? seen : null,
              push.worker());
      work.update(table, pages, batches, step);
    });
    appliedCount++;
  }

  /// Makes sure that writing the rows of the batches cannot run out of pages half way.
  void reserve(BranchPages pages, Map<Integer, List<RowBatch>> byTable) {
    Map<PagePool, Integer> needed = new HashMap<>();
    byTable.forEach((index, batches) -> {
      PageTable pageTable = pages.table(index);
      needed.merge(
          pageTable.pool(), tables.get(index).freshPages(pageTable, batches), Integer::sum);
    });
    needed.forEach(work::reserve);
  }

  /// Groups batches by their table.
  static Map<Integer, List<RowBatch>> byTable(List<RowBatch> batches) {
    Map<Integer, List<RowBatch>> byTable = new HashMap<>();
    for (RowBatch batch : batches) {
      byTable.computeIfAbsent(batch.table(), _ -> new ArrayList<>()).add(batch);
    }
    return byTable;
  }

  private static List<List<RowBatch>> byRank(List<ShardCommand.Push> pushes, TablePart table) {
    return pushes.stream()
        .map(push ->
            push.batches().stream().filter(batch -> batch.table() == table.index()).toList())
        .toList();
  }

  private static List<RowBatch> withRows(List<RowBatch> batches) {
    return batches.stream().filter(batch -> batch.rows().count() > 0).toList();
  }

  /// Clocks applied so far.
  long appliedCount() {
    return appliedCount;
  }
}
