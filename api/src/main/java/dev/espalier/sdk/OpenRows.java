package dev.espalier.sdk;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.Objects;

/* Rows lie in pages of equally many rows, page after page, without gaps inside a page. The page of a
 * row is found without a division, [1] section 4: for 0 <= row < 2^31 and l = ceil(log2 d),
 * floor(row / d) = floor(row m / 2^(31 + l)) with m = ceil(2^(31 + l) / d) <= 2^32.
 *
 * Of the few rows of a large table that were fetched each has a place in a hash table, open addressing
 * with linear probing and multiplicative hashing, [2] section 6.4: what `open` costs follows the rows
 * that are fetched, not those of the table.
 *
 * [1] Granlund, Montgomery 1994, Division by Invariant Integers using Multiplication.
 * [2] Knuth 1998, The Art of Computer Programming 3.
 */
/// Rows of a table that a program changes where they lie; see [ParameterTable#open].
///
/// A row is `columns` floats of [#MEMORY] in the machine's byte order, from the position that [#at]
/// gives, and nothing is checked there: a program that writes beyond its row destroys the process.
/// Several threads may change rows at once; whether they may meet in one row is the program's
/// choice (Recht et al. 2011, Hogwild).
public final class OpenRows implements AutoCloseable {
  /// All memory of the process: a position is an address.
  @SuppressWarnings("restricted") // rows lie in as many places as there are pages
  public static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final VarHandle ELEMENT = MethodHandles.arrayElementVarHandle(long[].class);
  private static final int ROW_BITS = 31;

  /// 2^32 over the golden ratio.
  private static final int HASH = 0x9E3779B9;

  private static final int FREE = -1;

  /// Where pages lie. Used by several threads.
  public interface Pages extends AutoCloseable {
    /// {@return the address of a page, the same each time and never 0}
    long address(int page);

    @Override
    void close();
  }

  private final int rows;
  private final int rowsPerPage;
  private final long rowBytes;
  private final long reciprocal;
  private final int shift;

  /// Which row each place is for; empty where rows lie in pages, whose number is their place.
  private final int[] hashed;

  /// Where row 0 would lie if all pages followed this one without gaps; 0 of a page not opened yet.
  private final long[] origins;

  private final Pages pages;

  /// @param rows rows of the table, in [1, 2^31)
  /// @param columns floats of a row
  /// @param rowsPerPage rows of every page but the last
  /// @param pages closed with the rows
  public OpenRows(long rows, int columns, int rowsPerPage, Pages pages) {
    this.rows = Math.toIntExact(rows);
    this.rowsPerPage = rowsPerPage;
    this.pages = pages;
    rowBytes = 4L * columns;
    shift = ROW_BITS + Integer.SIZE - Integer.numberOfLeadingZeros(rowsPerPage - 1);
    reciprocal = Math.ceilDiv(1L << shift, (long) rowsPerPage);
    origins = new long[Math.ceilDiv(this.rows, rowsPerPage)];
    hashed = new int[0];
  }

  /// @param places of the hash table, a power of two >= 2
  private OpenRows(int places, long rows, int columns, Pages pages) {
    this.rows = Math.toIntExact(rows);
    this.rowsPerPage = 1;
    this.pages = pages;
    rowBytes = 4L * columns;
    shift = Integer.numberOfLeadingZeros(places - 1);
    reciprocal = 0;
    origins = new long[places];
    hashed = new int[places];
    Arrays.fill(hashed, FREE);
  }

  /// Opens some rows of a table, which lie one after the other.
  ///
  /// @param present their numbers, each once
  /// @param address of the first one
  /// @param pages asked for rows that are not there, and for all once it is closed
  static OpenRows of(long rows, int columns, long[] present, long address, Pages pages) {
    // Half full at most, so that a place is found at once or nearly so.
    int places = Integer.highestOneBit(Math.max(1, present.length)) << 2;
    boolean isSmall = places > 0 && places * (4L + 8) < rows * 8;
    var open =
        isSmall
            ? new OpenRows(places, rows, columns, pages)
            : new OpenRows(rows, columns, 1, pages);
    for (int i = 0; i < present.length; i++) {
      open.put((int) present[i], address + i * open.rowBytes);
    }
    return open;
  }

  private void put(int row, long address) {
    int place = placeOf(row);
    if (isHashed()) {
      hashed[place] = row;
    }
    origins[place] = address - row * rowBytes;
  }

  private boolean isHashed() {
    return hashed.length > 0;
  }

  /// {@return rows of the table}
  public int rows() {
    return rows;
  }

  /// {@return whether row r lies r rows after row 0, for every r}
  public boolean isTogether() {
    return origins.length == 1 && !isHashed();
  }

  /// {@return the position in `MEMORY` of the first float of a row}
  ///
  /// @throws IndexOutOfBoundsException when the table has no such row
  /// @throws IllegalStateException when closed
  public long at(int row) {
    int page = placeOf(row);
    // No acquire: it would have every field read anew. The row can be read only once its address
    // is known, and the address is published after the page was filled.
    long origin = origins[page];
    return (origin == 0 ? open(page, row) : origin) + row * rowBytes;
  }

  /// Finds many rows in less time than one by one.
  ///
  /// @param rowsToFind numbers in [from, to) count
  /// @param positions receives the positions of the first floats from index 0
  /// @throws IndexOutOfBoundsException when the table has no such row, or `positions` no room
  /// @throws IllegalStateException when closed
  public void find(int[] rowsToFind, int from, int to, long[] positions) {
    if (isTogether() && from < to) {
      findInOnePage(rowsToFind, from, to, positions);
      return;
    }
    if (isHashed()) {
      for (int i = from; i < to; i++) {
        positions[i - from] = at(rowsToFind[i]);
      }
      return;
    }
    for (int i = from; i < to; i++) {
      i = findOpen(rowsToFind, from, i, to, positions);
      if (i < to) {
        positions[i - from] = at(rowsToFind[i]);
      }
    }
  }

  private void findInOnePage(int[] rowsToFind, int from, int to, long[] positions) {
    long first = at(0);
    for (int i = from; i < to; i++) {
      positions[i - from] = first + Objects.checkIndex(rowsToFind[i], rows) * rowBytes;
    }
  }

  /// Opening a page is a call; a loop without any has all fields in registers.
  ///
  /// @return the first index of a row whose page is not open, `to` when there is none
  private int findOpen(int[] rowsToFind, int from, int first, int to, long[] positions) {
    for (int i = first; i < to; i++) {
      int row = rowsToFind[i];
      long origin = origins[pageOf(row)];
      if (origin == 0) {
        return i;
      }
      positions[i - from] = origin + row * rowBytes;
    }
    return to;
  }

  private int pageOf(int row) {
    return (int) (Objects.checkIndex(row, rows) * reciprocal >>> shift);
  }

  /// {@return where the row's origin stands: its page, or its place in the hash table, which is a
  /// free one where the row is not there}
  private int placeOf(int row) {
    return isHashed() ? hashedPlaceOf(Objects.checkIndex(row, rows)) : pageOf(row);
  }

  private int hashedPlaceOf(int row) {
    int place = (row * HASH) >>> shift;
    while (hashed[place] != row && hashed[place] != FREE) {
      place = (place + 1) & (hashed.length - 1);
    }
    return place;
  }

  private long open(int place, int row) {
    int page = isHashed() ? row : place;
    long origin = pages.address(page) - page * (rowsPerPage * rowBytes);
    ELEMENT.setRelease(origins, place, origin);
    return origin;
  }

  /// Ends the changes; positions mean nothing any more.
  @Override
  public void close() {
    Arrays.fill(origins, 0);
    pages.close();
  }
}
