package dev.espalier.ps.branch;

import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.memory.Page;
import dev.espalier.ps.memory.PagedRows;
import dev.espalier.ps.memory.RowGather;
import dev.espalier.ps.table.RowSelection;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Selected rows of one table of a branch, held where they lie.
///
/// Their pages have a reference each, so that whoever writes them before [#release] writes to
/// another page. Rows can be copied out by another thread than the shard's. Not thread-safe.
public final class HeldRows {
  private final RowSelection rows;
  private final PageLayout layout;
  private final @Nullable Page[] pages;
  private final int firstPage;

  private HeldRows(RowSelection rows, PageLayout layout, @Nullable Page[] pages, int firstPage) {
    this.rows = rows;
    this.layout = layout;
    this.pages = pages;
    this.firstPage = firstPage;
  }

  /// Holds rows; to be called by the table's owner.
  ///
  /// @param rows of the table's range
  public static HeldRows of(PageTable table, RowSelection rows) {
    PageLayout layout = table.layout();
    int first = rows.count() == 0 ? 0 : layout.pageOf(rows.row(0));
    int last = first;
    if (rows instanceof RowSelection.Range range && range.count() > 0) {
      last = layout.pageOf(range.first() + range.count() - 1);
    } else if (rows instanceof RowSelection.Keys(long[] keys)) {
      long lowest = Long.MAX_VALUE;
      long highest = 0;
      for (long key : keys) {
        lowest = Math.min(lowest, key);
        highest = Math.max(highest, key);
      }
      if (keys.length > 0) {
        first = layout.pageOf(lowest);
        last = layout.pageOf(highest);
      }
    }
    HeldRows held =
        new HeldRows(
            rows, layout, new @Nullable Page[rows.count() == 0 ? 0 : last - first + 1], first);
    held.hold(table);
    return held;
  }

  private void hold(PageTable table) {
    if (rows instanceof RowSelection.Keys(long[] keys)) {
      long begin = 0;
      long end = 0;
      for (long key : keys) {
        if (key < begin || key >= end) {
          int page = layout.pageOf(key);
          begin = layout.firstRowOf(page);
          end = layout.endRowOf(page);
          hold(table, page);
        }
      }
    } else {
      for (int i = 0; i < pages.length; i++) {
        hold(table, firstPage + i);
      }
    }
  }

  private void hold(PageTable table, int index) {
    if (pages[index - firstPage] == null) {
      Page page = table.page(index);
      page.retain();
      pages[index - firstPage] = page;
    }
  }

  /// The rows.
  public RowSelection rows() {
    return rows;
  }

  /// Where rows lie in pages.
  public PageLayout layout() {
    return layout;
  }

  /// Bytes of the rows together.
  public long bytes() {
    return rows.count() * rowBytes();
  }

  private long rowBytes() {
    return (long) layout.columns() * Float.BYTES;
  }

  /// What is done with a page that is held.
  public interface PageVisitor {
    /// @param index of the page in the table
    void visit(int index, Page page);
  }

  /// Visits the pages in ascending order.
  public void forEachPage(PageVisitor visitor) {
    for (int i = 0; i < pages.length; i++) {
      Page page = pages[i];
      if (page != null) {
        visitor.visit(firstPage + i, page);
      }
    }
  }

  /// Number of pages that are held.
  public int pageCount() {
    int count = 0;
    for (Page page : pages) {
      count += page == null ? 0 : 1;
    }
    return count;
  }

  /// Copies bytes of the rows, as they follow each other in the selection.
  ///
  /// @param kernels the copy
  /// @param from byte among those of all rows
  /// @param count of bytes
  public void copy(RowKernels kernels, long from, MemorySegment to, long offset, long count) {
    Optional<RowGather> gather = RowGather.ofThisMachine();
    long rowBytes = rowBytes();
    if (gather.isEmpty()
        || rowBytes > RowGather.MAX_ROW_BYTES
        || !(rows instanceof RowSelection.Keys(long[] keys))) {
      copyOneByOne(kernels, from, to, offset, count);
      return;
    }
    long done = Math.min(count, Math.floorMod(-from, rowBytes));
    copyOneByOne(kernels, from, to, offset, done);
    int whole = (int) ((count - done) / rowBytes);
    new PagedRows(
            layout.range().first(),
            layout.rowsPerPage(),
            rowBytes,
            page -> page((int) page).segment().address())
        .gather(gather.get(), keys, (int) ((from + done) / rowBytes), whole, to, offset + done);
    done += whole * rowBytes;
    copyOneByOne(kernels, from + done, to, offset + done, count - done);
  }

  private void copyOneByOne(
      RowKernels kernels, long from, MemorySegment to, long offset, long count) {
    long rowBytes = rowBytes();
    int position = (int) (from / rowBytes);
    long inRow = from % rowBytes;
    long at = offset;
    long left = count;
    long begin = 0;
    long end = 0;
    MemorySegment memory = MemorySegment.NULL;
    while (left > 0) {
      long row = rows.row(position++);
      if (row < begin || row >= end) {
        int page = layout.pageOf(row);
        begin = layout.firstRowOf(page);
        end = layout.endRowOf(page);
        memory = page(page).segment();
      }
      long bytes = Math.min(rowBytes - inRow, left);
      kernels.copy(memory, (row - begin) * rowBytes + inRow, to, at, bytes);
      inRow = 0;
      at += bytes;
      left -= bytes;
    }
  }

  /// A page that holds some of the rows.
  public Page page(int index) {
    Page page = pages[index - firstPage];
    if (page == null) {
      throw new IllegalStateException("page %d must be held but was released".formatted(index));
    }
    return page;
  }

  /// Lets the pages go; further calls do nothing.
  public void release() {
    for (Page page : pages) {
      if (page != null) {
        page.release();
      }
    }
    Arrays.fill(pages, null);
  }
}
