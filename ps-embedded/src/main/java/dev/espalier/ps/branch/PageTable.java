package dev.espalier.ps.branch;

import dev.espalier.ps.memory.Page;
import dev.espalier.ps.memory.PagePool;
import java.util.Arrays;

/// The pages of one table of one branch, shared with other branches until written.
///
/// Two levels, so that a fork copies one reference per block of pages; the pages' own references
/// are taken when a block is first written. Not thread-safe; the shard guards it.
public final class PageTable {
  private final PageLayout layout;
  private final PagePool pool;
  private final PageBlock[] blocks;

  private PageTable(PageLayout layout, PagePool pool, PageBlock[] blocks) {
    this.layout = layout;
    this.pool = pool;
    this.blocks = blocks;
  }

  /// A table of zeros, which takes a single page until it is written.
  static PageTable zeros(PageLayout layout, PagePool pool) {
    int pageCount = layout.pageCount();
    PageBlock[] blocks = new PageBlock[(pageCount + PageBlock.PAGES - 1) / PageBlock.PAGES];
    if (pageCount > 0) {
      Page zero = pool.acquire();
      zero.zero();
      zero.retain(pageCount - 1);
      for (int i = 0; i < blocks.length; i++) {
        Page[] pages = new Page[Math.min(PageBlock.PAGES, pageCount - i * PageBlock.PAGES)];
        Arrays.fill(pages, zero);
        blocks[i] = new PageBlock(pages);
      }
    }
    return new PageTable(layout, pool, blocks);
  }

  /// A copy that shares all pages.
  PageTable fork() {
    for (PageBlock block : blocks) {
      block.retain();
    }
    return new PageTable(layout, pool, blocks.clone());
  }

  /// Drops all references.
  void release() {
    for (PageBlock block : blocks) {
      block.release();
    }
  }

  /// Where the rows lie.
  public PageLayout layout() {
    return layout;
  }

  /// Where fresh pages come from.
  public PagePool pool() {
    return pool;
  }

  /// A page, to read.
  public Page page(int index) {
    return blocks[index / PageBlock.PAGES].get(index % PageBlock.PAGES);
  }

  /// Whether somebody else holds a page, so that writing it takes a fresh one.
  public boolean isShared(int index) {
    return blocks[index / PageBlock.PAGES].isShared() || page(index).isShared();
  }

  /// Whether somebody else holds every page.
  public boolean areAllShared() {
    for (PageBlock block : blocks) {
      if (!block.areAllShared()) {
        return false;
      }
    }
    return true;
  }

  /// The page to write all of: the same when nobody else holds it, otherwise a fresh one with
  /// undefined content, to be given to [#install] when written.
  public Page target(int index) {
    Page target = isShared(index) ? pool.acquire() : page(index);
    target.touch(pool);
    return target;
  }

  /// Puts a written target in its place.
  public void install(int index, Page written) {
    Page old = page(index);
    if (old != written) {
      ownBlock(index / PageBlock.PAGES).set(index % PageBlock.PAGES, written);
      old.release();
    }
  }

  private PageBlock ownBlock(int index) {
    PageBlock block = blocks[index];
    if (block.isShared()) {
      blocks[index] = block.copy();
      block.release();
    }
    return blocks[index];
  }

  /// The page to write a part of: copied first when somebody else holds it.
  public Page owned(int index) {
    Page target = target(index);
    if (target != page(index)) {
      target.copyFrom(page(index), layout.planes() * layout.planeBytes());
      install(index, target);
    }
    return target;
  }
}
