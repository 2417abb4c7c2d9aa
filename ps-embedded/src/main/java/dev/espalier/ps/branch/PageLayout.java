package dev.espalier.ps.branch;

import dev.espalier.ps.memory.HostTier;
import dev.espalier.ps.table.RowRange;

/// Where the rows of one shard's part of a table lie in pages.
///
/// A page holds `rowsPerPage` rows as planes of `planeBytes`: plane 0 the parameters, then one
/// plane per state array.
///
/// @param range the rows
/// @param columns floats per row
/// @param planes parameters and state arrays, >= 1
/// @param rowsPerPage rows of a full page, >= 1
/// @param planeBytes bytes of one plane, a multiple of 64
/// @param pageBytes bytes of a page, a power of two or a multiple of 1 MiB
public record PageLayout(
    RowRange range, int columns, int planes, int rowsPerPage, long planeBytes, long pageBytes) {
  /// The wanted size of a page that holds all rows.
  public static final long ONE_PAGE = Long.MAX_VALUE;

  private static final long MIN_PAGE_BYTES = 4096;
  private static final long LARGE_PAGE_BYTES = 1 << 20;

  /// The layout for pages of about `wantedPageBytes`.
  ///
  /// A page is larger when a row does not fit, and smaller when all rows do.
  ///
  /// @param stateArrays state arrays beside the parameters, >= 0
  public static PageLayout of(RowRange range, int columns, int stateArrays, long wantedPageBytes) {
    int planes = stateArrays + 1;
    long rowBytes = 4L * columns;
    long rows = rowsIn(wantedPageBytes, rowBytes, planes, Math.max(1, range.count()));
    long planeBytes = aligned(rows * rowBytes);
    long pageBytes = poolSize(Math.max(MIN_PAGE_BYTES, planes * planeBytes));
    return new PageLayout(range, columns, planes, Math.toIntExact(rows), planeBytes, pageBytes);
  }

  /// {@return how many rows a shard may have of a table, for pages and their rows have numbers of
  /// 32 bits}
  public static long mostRows(int columns, int stateArrays, long wantedPageBytes) {
    return wantedPageBytes == ONE_PAGE
        ? Integer.MAX_VALUE
        : Integer.MAX_VALUE
            * rowsIn(wantedPageBytes, 4L * columns, stateArrays + 1, Integer.MAX_VALUE);
  }

  private static long rowsIn(long wantedPageBytes, long rowBytes, int planes, long most) {
    long rows = Math.clamp(wantedPageBytes / (rowBytes * planes), 1, most);
    while (rows > 1 && planes * aligned(rows * rowBytes) > wantedPageBytes) {
      rows--;
    }
    return rows;
  }

  /// This layout in larger pages, with the same rows in each.
  public PageLayout withPageBytes(long newPageBytes) {
    return new PageLayout(range, columns, planes, rowsPerPage, planeBytes, newPageBytes);
  }

  /// Bytes of the parameters of all rows.
  public long parameterBytes() {
    return range.count() * columns * Float.BYTES;
  }

  /// Number of pages.
  public int pageCount() {
    return Math.toIntExact((range.count() + rowsPerPage - 1) / rowsPerPage);
  }

  /// The page of a row of the range.
  public int pageOf(long row) {
    return (int) ((row - range.first()) / rowsPerPage);
  }

  /// First row of a page.
  public long firstRowOf(int page) {
    return range.first() + (long) page * rowsPerPage;
  }

  /// Row after the last one of a page.
  public long endRowOf(int page) {
    return Math.min(range.end(), firstRowOf(page) + rowsPerPage);
  }

  /// Byte offset of a row's parameters in its page.
  public long offsetOf(long row) {
    return offsetIn(pageOf(row), row);
  }

  /// Byte offset of a row's parameters in its page, which is known.
  public long offsetIn(int page, long row) {
    return (row - firstRowOf(page)) * columns * 4L;
  }

  private static long aligned(long bytes) {
    return (bytes + HostTier.ALIGNMENT_BYTES - 1)
        / HostTier.ALIGNMENT_BYTES
        * HostTier.ALIGNMENT_BYTES;
  }

  /// Few sizes, so that tables share pools, but no large page that is half empty.
  private static long poolSize(long bytes) {
    return bytes <= LARGE_PAGE_BYTES
        ? Long.highestOneBit(bytes - 1) << 1
        : (bytes + LARGE_PAGE_BYTES - 1) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
  }
}
