package dev.espalier.ps.branch;

import java.util.concurrent.atomic.AtomicBoolean;

/// An immutable view of a branch at one moment: its pages, pinned, and its step counters.
///
/// Costs as much as a fork. Any thread may read and close it.
public final class Snapshot implements AutoCloseable {
  private final BranchRef branch;
  private final BranchPages pages;
  private final AtomicBoolean isOpen = new AtomicBoolean(true);

  Snapshot(BranchRef branch, BranchPages pages) {
    this.branch = branch;
    this.pages = pages;
  }

  /// The branch it was taken of.
  public BranchRef branch() {
    return branch;
  }

  /// The pages as they were; not to be written.
  public BranchPages pages() {
    return pages;
  }

  /// Unpins the pages; further calls do nothing.
  @Override
  public void close() {
    if (isOpen.compareAndSet(true, false)) {
      pages.release();
    }
  }
}
