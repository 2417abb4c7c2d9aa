package dev.espalier.ps.branch;

import dev.espalier.ps.memory.Page;
import java.util.concurrent.atomic.AtomicInteger;

/// A run of pages that branches share as one, until one of them writes a page of it.
///
/// Holds one reference to each page. Whoever holds the only reference to the block may replace its
/// pages. References may be dropped by any thread.
final class PageBlock {
  /// Pages of a full block.
  static final int PAGES = 128;

  private final Page[] pages;
  private final AtomicInteger references = new AtomicInteger(1);

  /// Makes a block of pages and takes over one reference to each.
  PageBlock(Page[] pages) {
    this.pages = pages;
  }

  Page get(int index) {
    return pages[index];
  }

  /// Replaces a page; the caller passes its reference to the new one and gets that to the old one.
  void set(int index, Page page) {
    pages[index] = page;
  }

  boolean isShared() {
    return references.get() > 1;
  }

  /// Whether somebody else holds every page, with this block or by itself.
  boolean areAllShared() {
    if (!isShared()) {
      for (Page page : pages) {
        if (!page.isShared()) {
          return false;
        }
      }
    }
    return true;
  }

  void retain() {
    references.incrementAndGet();
  }

  void release() {
    if (references.decrementAndGet() == 0) {
      for (Page page : pages) {
        page.release();
      }
    }
  }

  /// A block of the same pages that belongs to the caller alone.
  PageBlock copy() {
    for (Page page : pages) {
      page.retain();
    }
    return new PageBlock(pages.clone());
  }
}
