package dev.espalier.ps.branch;

import java.util.List;

/// What one branch holds: a page table and a step counter per table.
///
/// Not thread-safe; the shard guards it.
public final class BranchPages {
  private final PageTable[] tables;
  private final long[] steps;

  BranchPages(List<PageTable> tables, long[] steps) {
    this(tables.toArray(new PageTable[0]), steps);
  }

  private BranchPages(PageTable[] tables, long[] steps) {
    this.tables = tables;
    this.steps = steps;
  }

  BranchPages fork() {
    PageTable[] shared = new PageTable[tables.length];
    for (int i = 0; i < shared.length; i++) {
      shared[i] = tables[i].fork();
    }
    return new BranchPages(shared, steps.clone());
  }

  /// From now on a write gives a page a new stamp.
  public void sealStamps() {
    for (PageTable table : tables) {
      table.pool().sealStamps();
    }
  }

  void release() {
    for (PageTable table : tables) {
      table.release();
    }
  }

  /// The page table of a table.
  public PageTable table(int index) {
    return tables[index];
  }

  /// Number of tables.
  public int tableCount() {
    return tables.length;
  }

  /// Optimizer steps a table has taken on this branch and its ancestors.
  public long steps(int table) {
    return steps[table];
  }

  /// Counts one more step of a table.
  ///
  /// @return its number, 1 for the first
  public long nextStep(int table) {
    return ++steps[table];
  }

  /// Sets the step counter of a table, when a checkpoint is read.
  public void setSteps(int table, long count) {
    steps[table] = count;
  }
}
