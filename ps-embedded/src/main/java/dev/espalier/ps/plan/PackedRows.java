package dev.espalier.ps.plan;

import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.RowRange;
import dev.espalier.ps.table.RowSelection;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// The distinct rows of one table that a clock reads, or that it updates, in ascending order.
///
/// A row's slot is its place in this order. Shards hold ascending ranges of rows, so the rows of a
/// shard have consecutive slots: what lies in a buffer by slot is what goes over the wire.
///
/// @param rows ascending, each once
/// @param parts of each shard, by index
public record PackedRows(long[] rows, List<Part> parts) {

  /// The rows of one shard.
  ///
  /// @param firstSlot slot of its first row
  /// @param rows a range when they are consecutive; made once, so that its array is always the same
  public record Part(int firstSlot, RowSelection rows) {}

  static PackedRows of(long[] ascending, Partitioner partitioner) {
    return new PackedRows(
        ascending,
        IntStream.range(0, partitioner.shards())
            .mapToObj(shard -> part(ascending, partitioner.rangeOf(shard)))
            .toList());
  }

  private static Part part(long[] rows, RowRange range) {
    int from = firstAtLeast(rows, range.first());
    int to = firstAtLeast(rows, range.end());
    if (from == to) {
      return new Part(from, new RowSelection.Range(0, 0));
    }
    boolean isRun = rows[to - 1] - rows[from] == to - from - 1;
    return new Part(
        from,
        isRun
            ? new RowSelection.Range(rows[from], to - from)
            : new RowSelection.Keys(Arrays.copyOfRange(rows, from, to)));
  }

  private static int firstAtLeast(long[] rows, long row) {
    int place = Arrays.binarySearch(rows, row);
    return place >= 0 ? place : -place - 1;
  }

  /// Number of rows.
  public int count() {
    return rows.length;
  }

  /// Slot of a row that is among them.
  int slotOf(long row) {
    int last = rows.length - 1;
    return rows[last] - rows[0] == last ? (int) (row - rows[0]) : Arrays.binarySearch(rows, row);
  }
}
