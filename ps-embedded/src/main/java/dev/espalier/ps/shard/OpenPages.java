package dev.espalier.ps.shard;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.branch.PageLayout;

/// The pages of one table of a branch, open to be changed where they lie by the program beside the
/// shard.
///
/// A page is made the branch's own when its address is first asked for, so what is written there is
/// seen by this branch alone. While pages are open the branch cannot be forked, saved or freed. May
/// be used by several threads; close it when all of them are done.
public final class OpenPages implements AutoCloseable {
  private final Shard shard;
  private final BranchRef branch;
  private final int table;
  private final PageLayout layout;
  private boolean isClosed;

  OpenPages(Shard shard, BranchRef branch, int table, PageLayout layout) {
    this.shard = shard;
    this.branch = branch;
    this.table = table;
    this.layout = layout;
  }

  /// Rows of each page but the last; row `r` of the table lies in page `r / rowsPerPage`.
  public int rowsPerPage() {
    return layout.rowsPerPage();
  }

  /// Where the first row of a page lies; the others follow, without gaps.
  ///
  /// @throws dev.espalier.ps.fault.PsException `OUT_OF_MEMORY_BUDGET` when the page is shared and
  ///   there is none to copy it to; the branch can only be freed then
  /// @throws IllegalStateException when closed
  public synchronized long address(int page) {
    if (isClosed) {
      throw new IllegalStateException("pages of " + branch + " must be open but are closed");
    }
    return shard.own(branch, table, page).address();
  }

  /// Ends the changes; further calls do nothing.
  @Override
  public synchronized void close() {
    if (!isClosed) {
      isClosed = true;
      shard.close(branch);
    }
  }
}
