package dev.espalier.bench.net;

import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.memory.HostTier;
import dev.espalier.ps.memory.MemoryTier;
import dev.espalier.ps.memory.RowGather;
import dev.espalier.ps.memory.SharedTier;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowTarget;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/// Rows copied out of memory such as a shard's into arrays, within one process and without a
/// message: the limit for everything that reads rows where they lie.
final class RowCopies implements AutoCloseable {
  private static final long BYTES =
      4L
          * Math.max(
              NetworkTables.DENSE_ROWS * NetworkTables.DENSE_COLUMNS,
              NetworkTables.SPARSE_ROWS * NetworkTables.SPARSE_COLUMNS);

  private final RowKernels kernels = RowKernelsProvider.best();
  private final Optional<RowGather> gather = RowGather.ofThisMachine();
  private final MemoryTier tier =
      SharedTier.ofSize(BYTES).<MemoryTier>map(shared -> shared).orElseGet(HostTier::new);
  private final MemorySegment rows = tier.allocate(BYTES);

  RowCopies() {
    rows.fill((byte) 1); // the system gives memory for what was written
  }

  /// @param targets taken in turn
  void copy(RowBatch batch, int repeats, List<RowTarget> targets) {
    for (int i = 0; i < repeats; i++) {
      RowTarget target = targets.get(i % targets.size());
      switch (batch.rows()) {
        case RowSelection.Range range -> copyRange(range, target);
        case RowSelection.Keys(long[] keys) -> copyKeys(keys, target);
      }
    }
  }

  private void copyRange(RowSelection.Range range, RowTarget target) {
    int columns = target.columns();
    kernels.load(
        rows,
        range.first() * columns * Float.BYTES,
        target.values(),
        target.indexOf(0),
        range.count() * columns);
  }

  private void copyKeys(long[] keys, RowTarget target) {
    int columns = target.columns();
    if (gather.isPresent()) {
      copyTogether(gather.get(), keys, target);
      return;
    }
    for (int i = 0; i < keys.length; i++) {
      kernels.load(
          rows, keys[i] * columns * Float.BYTES, target.values(), target.indexOf(i), columns);
    }
  }

  private void copyTogether(RowGather gather, long[] keys, RowTarget target) {
    long rowBytes = 4L * target.columns();
    MemorySegment to = MemorySegment.ofArray(target.values());
    long[] places = new long[Math.min(keys.length, RowGather.MAX_ROWS)];
    for (int from = 0; from < keys.length; from += places.length) {
      int count = Math.min(places.length, keys.length - from);
      for (int i = 0; i < count; i++) {
        places[i] = rows.address() + keys[from + i] * rowBytes;
      }
      gather.copy(places, count, rowBytes, to, 4L * target.indexOf(from));
    }
  }

  @Override
  public void close() {
    tier.close();
  }
}
