package dev.espalier.ps.branch;

import dev.espalier.ps.memory.PagePools;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The living branches and what they hold; forks and frees them.
///
/// A fork copies page tables and takes a reference per block of pages, nothing else. Not
/// thread-safe; the shard guards it.
public final class BranchStore {
  private final PagePools pools;
  private final List<PageLayout> layouts;
  private final BranchTree tree = new BranchTree();
  private final Map<Integer, BranchPages> branches = new HashMap<>();

  /// Creates an empty store.
  ///
  /// @param pools where pages come from
  /// @param layouts of each table
  public BranchStore(PagePools pools, List<PageLayout> layouts) {
    this.pools = pools;
    this.layouts = List.copyOf(layouts);
  }

  /// Creates a branch of zeros.
  public BranchPages create(BranchRef root) {
    tree.addRoot(root);
    BranchPages pages;
    try {
      pages = zeros();
    } catch (RuntimeException e) {
      tree.free(root);
      throw e;
    }
    branches.put(root.number(), pages);
    return pages;
  }

  /// Makes a branch of pages made by [#zeros].
  public void adopt(BranchRef root, BranchPages pages) {
    tree.addRoot(root);
    branches.put(root.number(), pages);
  }

  /// Pages of zeros that belong to no branch yet.
  public BranchPages zeros() {
    List<PageTable> tables = new ArrayList<>();
    try {
      for (PageLayout layout : layouts) {
        tables.add(PageTable.zeros(layout, pools.ofSize(layout.pageBytes())));
      }
    } catch (RuntimeException e) {
      tables.forEach(PageTable::release);
      throw e;
    }
    return new BranchPages(tables, new long[layouts.size()]);
  }

  /// Gives back pages made by [#zeros] that no branch adopted.
  public void discard(BranchPages pages) {
    pages.release();
  }

  /// Forks a branch.
  public void fork(BranchRef child, BranchRef parent) {
    BranchPages pages = pagesOf(parent);
    tree.addChild(child, parent);
    branches.put(child.number(), pages.fork());
  }

  /// Frees a branch.
  public void free(BranchRef branch) {
    BranchPages pages = pagesOf(branch);
    tree.free(branch);
    branches.remove(branch.number());
    pages.release();
  }

  /// Pins a branch as it is now.
  public Snapshot snapshot(BranchRef branch) {
    BranchPages pinned = pagesOf(branch).fork();
    pinned.sealStamps();
    return new Snapshot(branch, pinned);
  }

  /// What a living branch holds.
  ///
  /// @throws dev.espalier.ps.fault.PsException `NO_SUCH_BRANCH` when it is not alive
  public BranchPages pagesOf(BranchRef branch) {
    BranchPages pages = branches.get(branch.number());
    if (pages == null) {
      throw tree.missing(branch);
    }
    return pages;
  }

  /// Who descends from whom.
  public BranchTree tree() {
    return tree;
  }
}
