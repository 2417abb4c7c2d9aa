package dev.espalier.ps.branch;

import dev.espalier.ps.memory.Page;
import dev.espalier.ps.memory.PagePool;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// The pages of one table of one branch, shared with other branches until written.
///
/// Holds one reference to each page. Not thread-safe; the shard guards it.
public final class PageTable {
  private final PageLayout layout;
  private final PagePool pool;
  private final Page[] pages;

  private PageTable(PageLayout layout, PagePool pool, Page[] pages) {
    this.layout = layout;
    this.pool = pool;
    this.pages = pages;
  }

  /// A table of zeros, which takes a single page until it is written.
  static PageTable zeros(PageLayout layout, PagePool pool) {
    Page[] pages = new Page[layout.pageCount()];
    if (pages.length > 0) {
      Page zero = pool.acquire();
      zero.segment().fill((byte) 0);
      zero.retain(pages.length);
      zero.release();
      Arrays.fill(pages, zero);
    }
    return new PageTable(layout, pool, pages);
  }

  /// A copy that shares all pages.
  PageTable fork() {
    Page[] shared = pages.clone();
    for (Page page : shared) {
      page.retain();
    }
    return new PageTable(layout, pool, shared);
  }

  /// Drops all references.
  void release() {
    for (Page page : pages) {
      page.release();
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
    return pages[index];
  }

  /// The page to write all of: the same when nobody else holds it, otherwise a fresh one with
  /// undefined content, to be given to [#install] when written.
  public Page target(int index) {
    return pages[index].isShared() ? pool.acquire() : pages[index];
  }

  /// Puts a written target in its place.
  public void install(int index, Page written) {
    Page old = pages[index];
    if (old != written) {
      pages[index] = written;
      old.release();
    }
  }

  /// The page to write a part of: copied first when somebody else holds it.
  public Page owned(int index) {
    Page target = target(index);
    if (target != pages[index]) {
      MemorySegment.copy(
          pages[index].segment(), 0, target.segment(), 0, layout.planes() * layout.planeBytes());
      install(index, target);
    }
    return target;
  }
}
