package dev.espalier.ps.shard;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Rows copied into an array of the answer.
final class CopiedRows implements RowCollector {
  private float[] values = new float[0];
  private int columns;

  @Override
  public void begin(int rows, int columns, int bound) {
    this.columns = columns;
    values = new float[Math.multiplyExact(rows, columns)];
  }

  @Override
  public boolean isConcurrent() {
    return true;
  }

  @Override
  public void take(MemorySegment from, long offset, int position, int rows) {
    MemorySegment.copy(
        from, ValueLayout.JAVA_FLOAT, offset, values, position * columns, rows * columns);
  }

  @Override
  public ShardReply end() {
    return new ShardReply.Rows(values);
  }
}
