package dev.espalier.ps.shard;

import dev.espalier.ps.branch.HeldRows;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.memory.RowGather;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowTarget;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Rows copied straight to where the reader wants them.
final class DeliveredRows implements RowCollector {
  private static final RowKernels KERNELS = RowKernelsProvider.best();

  private final RowTarget target;
  private int count;

  DeliveredRows(RowTarget target) {
    this.target = target;
  }

  @Override
  public void begin(int rows, int columns, int bound) {
    count = rows;
  }

  /// Many short rows are found first, and then gathered together.
  @Override
  public boolean holdsRows(RowSelection rows) {
    return rows instanceof RowSelection.Keys
        && count >= RowGather.MAX_ROWS
        && target.isContiguous()
        && 4L * target.columns() <= RowGather.MAX_ROW_BYTES
        && RowGather.ofThisMachine().isPresent();
  }

  @Override
  public void take(HeldRows rows) {
    try {
      rows.copy(
          KERNELS, 0, MemorySegment.ofArray(target.values()), 4L * target.indexOf(0), rows.bytes());
    } finally {
      rows.release();
    }
  }

  @Override
  public boolean isConcurrent() {
    return true;
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
