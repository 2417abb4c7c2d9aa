package dev.espalier.ps.shard;

import dev.espalier.ps.table.RowTarget;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Rows copied straight to where the reader wants them.
final class DeliveredRows implements RowCollector {
  private final RowTarget target;
  private int count;

  DeliveredRows(RowTarget target) {
    this.target = target;
  }

  @Override
  public void begin(int rows, int columns, int bound) {
    count = rows;
  }

  @Override
  public void take(MemorySegment from, long offset, int position, int rows) {
    if (target.isContiguous()) {
      copy(from, offset, position, rows);
      return;
    }
    for (int i = 0; i < rows; i++) {
      copy(from, offset + 4L * i * target.columns(), position + i, 1);
    }
  }

  private void copy(MemorySegment from, long offset, int position, int rows) {
    MemorySegment.copy(
        from,
        ValueLayout.JAVA_FLOAT,
        offset,
        target.values(),
        target.indexOf(position),
        rows * target.columns());
  }

  @Override
  public ShardReply end() {
    return new ShardReply.Delivered(count);
  }
}
