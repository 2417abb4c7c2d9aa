package dev.espalier.ps.memory;

import java.lang.foreign.MemorySegment;

/// Rows of one size in pages of so many rows each, to be gathered by their numbers.
///
/// @param firstRow number of the first row of page 0
/// @param rowsPerPage rows of a full page, >= 1
/// @param rowBytes bytes of a row, at most [RowGather#MAX_ROW_BYTES]
/// @param addresses of the pages
public record PagedRows(long firstRow, long rowsPerPage, long rowBytes, PageAddresses addresses) {

  /// Where pages lie.
  public interface PageAddresses {
    /// {@return the address of a page's first row}
    ///
    /// @throws IndexOutOfBoundsException when there is no such page
    long of(long page);
  }

  /// Copies rows one after the other.
  ///
  /// @param keys numbers of rows, fastest where those of a page follow each other
  /// @param from index of the first of them
  /// @param count how many
  /// @param offset in `to` of the first row
  public void gather(
      RowGather gather, long[] keys, int from, int count, MemorySegment to, long offset) {
    long[] places = new long[Math.min(count, RowGather.MAX_ROWS)];
    for (int done = 0; done < count; done += places.length) {
      int step = Math.min(places.length, count - done);
      find(keys, from + done, step, places);
      gather.copy(places, step, rowBytes, to, offset + done * rowBytes);
    }
  }

  private void find(long[] keys, int from, int count, long[] places) {
    long begin = 0;
    long end = 0;
    long address = 0;
    for (int i = 0; i < count; i++) {
      long row = keys[from + i];
      if (row < begin || row >= end) {
        long page = (row - firstRow) / rowsPerPage;
        begin = firstRow + page * rowsPerPage;
        end = begin + rowsPerPage;
        address = addresses.of(page);
      }
      places[i] = address + (row - begin) * rowBytes;
    }
  }
}
