package dev.espalier.sdk;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Copies of rows, whose changes are added to the table when they are closed.
final class FetchedRows implements OpenRows.Pages {
  private static final int ALIGNMENT_BYTES = 64;

  private final ParameterTable table;
  private final long[] rows;
  private final float[] before;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment values;

  private FetchedRows(ParameterTable table, long[] rows) {
    this.table = table;
    this.rows = rows;
    before = new float[Math.multiplyExact(rows.length, table.columns())];
    table.read(rows, rows.length, before);
    values = arena.allocate(Math.max(1, 4L * before.length), ALIGNMENT_BYTES);
    MemorySegment.copy(before, 0, values, ValueLayout.JAVA_FLOAT, 0, before.length);
  }

  static OpenRows open(ParameterTable table, long[] rows) {
    var fetched = new FetchedRows(table, rows);
    return OpenRows.of(table.rows(), table.columns(), rows, fetched.values.address(), fetched);
  }

  @Override
  public long address(int row) {
    if (!arena.scope().isAlive()) {
      throw new IllegalStateException("rows must be open but are closed");
    }
    // Rows that were asked for are found before.
    throw new IllegalArgumentException(
        "row must be one of the %d that were asked for but is %d".formatted(rows.length, row));
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      float[] changes = values.asSlice(0, 4L * before.length).toArray(ValueLayout.JAVA_FLOAT);
      arena.close();
      for (int i = 0; i < changes.length; i++) {
        changes[i] -= before[i];
      }
      table.add(rows, rows.length, changes);
    }
  }
}
