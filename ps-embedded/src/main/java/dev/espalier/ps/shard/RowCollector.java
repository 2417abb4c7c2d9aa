package dev.espalier.ps.shard;

import dev.espalier.ps.branch.HeldRows;
import dev.espalier.ps.memory.Page;
import dev.espalier.ps.table.RowSelection;
import java.lang.foreign.MemorySegment;

/// Takes the rows of a read, run by run, while the shard holds its lock; in the order of the
/// selection and on one thread, unless it is concurrent.
///
/// A page may be written as soon as the call is over, unless the collector has taken a reference.
public interface RowCollector {

  /// Says what will come.
  ///
  /// @param rows number of rows
  /// @param columns floats per row
  /// @param bound staleness of the read: at 0 nobody writes the rows before the reader's next push
  void begin(int rows, int columns, int bound);

  /// Whether the rows are wanted where they lie and not as copies; then none come that cannot be
  /// left there.
  default boolean wantsPages() {
    return false;
  }

  /// Whether all rows are taken at once, held where they lie, instead of run by run; asked after
  /// [#begin]. Rows on a device come as copies in any case.
  ///
  /// @param rows which
  default boolean holdsRows(RowSelection rows) {
    return false;
  }

  /// Whether several threads may hand over rows at once, in any order; no row comes twice.
  default boolean isConcurrent() {
    return false;
  }

  /// Takes all rows.
  ///
  /// @param rows to be released by the collector
  default void take(HeldRows rows) {
    throw new IllegalStateException("this collector holds no rows");
  }

  /// Takes rows that lie together.
  ///
  /// @param page where they lie
  /// @param offset byte offset of the first row's parameters
  /// @param position of the first row in the selection
  /// @param rows number of rows
  default void take(Page page, long offset, int position, int rows) {
    take(page.segment(), offset, position, rows);
  }

  /// Takes rows that lie together in memory that is good for this call only.
  ///
  /// @param values where they lie
  /// @param offset byte offset of the first row
  /// @param position of the first row in the selection
  /// @param rows number of rows
  void take(MemorySegment values, long offset, int position, int rows);

  /// The answer, when all rows were taken.
  ShardReply end();
}
