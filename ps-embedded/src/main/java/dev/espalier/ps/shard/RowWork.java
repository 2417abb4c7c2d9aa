package dev.espalier.ps.shard;

import dev.espalier.ps.branch.BranchPages;
import dev.espalier.ps.memory.MemoryBudget;
import dev.espalier.ps.memory.PagePool;
import dev.espalier.ps.memory.PagePools;
import dev.espalier.ps.memory.SharedTier;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowValues;
import java.util.List;
import java.util.Optional;

/// Where a shard's pages lie and its rows are read and written: the host, or a device.
///
/// Not thread-safe; the shard guards it.
interface RowWork extends AutoCloseable {

  /// Where pages are born.
  PagePools pools();

  /// Whether programs can have rows by their addresses.
  boolean isOnHost();

  /// The memory of the pages, where other processes may read it.
  default Optional<SharedTier> sharedPages() {
    return Optional.empty();
  }

  /// Makes sure that so many pages can be had, if nobody else takes any.
  ///
  /// @throws dev.espalier.ps.fault.PsException `OUT_OF_MEMORY_BUDGET` when they cannot
  void reserve(PagePool pool, int pages);

  /// Hands parameters out.
  ShardReply collect(
      TablePart table, BranchPages pages, ShardCommand.Read read, RowCollector collector);

  /// Sets parameters; optimizer state stays.
  void assign(TablePart table, BranchPages pages, RowBatch batch);

  /// Applies one optimizer step to the rows of the batches.
  void update(TablePart table, BranchPages pages, List<RowBatch> batches, TablePart.Step step);

  /// Fresh pages for the gradients of all rows of a table, to be written over by its next step on a
  /// branch.
  ///
  /// @return empty where the step would not write all of its pages anew, or there are not as many
  default Optional<RowValues.InPages> gradientPages(TablePart table, BranchPages pages) {
    return Optional.empty();
  }

  /// Copies values of a device's memory within it, for an update to come.
  ///
  /// @param count how many
  /// @param address where they lie, all work that writes them done; good to be written when this
  ///   returns
  /// @return empty where pages do not lie on a device, or it has no room
  default Optional<RowValues.OnDevice> keep(int count, long address) {
    return Optional.empty();
  }

  /// What it has of a device; empty when pages lie on the host.
  default Optional<DeviceUse> device() {
    return Optional.empty();
  }

  /// Takes note that branches were freed.
  void forgetFreed();

  /// Pages that branches and snapshots hold.
  long pagesInUse();

  /// Bytes of those pages.
  long bytesInUse();

  /// What bounds the memory of the host.
  MemoryBudget hostBudget();

  @Override
  void close();
}
