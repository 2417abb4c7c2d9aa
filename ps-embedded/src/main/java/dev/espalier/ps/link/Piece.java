package dev.espalier.ps.link;

import dev.espalier.ps.branch.HeldRows;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.RowKernelsProvider;
import java.lang.foreign.MemorySegment;

/// Bytes of a frame that stay where they are until a wire copies them, once, to where they go.
sealed interface Piece {

  /// How many bytes.
  long bytes();

  /// Copies some of them.
  ///
  /// @param from the first
  /// @param count how many
  void copy(long from, MemorySegment to, long offset, long count);

  /// Bytes that lie together.
  ///
  /// @param memory on or off heap
  record Together(MemorySegment memory) implements Piece {
    @Override
    public long bytes() {
      return memory.byteSize();
    }

    @Override
    public void copy(long from, MemorySegment to, long offset, long count) {
      MemorySegment.copy(memory, from, to, offset, count);
    }
  }

  /// Rows that lie apart.
  ///
  /// @param rows held until the frame is released
  record Apart(HeldRows rows) implements Piece {
    private static final RowKernels KERNELS = RowKernelsProvider.best();

    @Override
    public long bytes() {
      return rows.bytes();
    }

    @Override
    public void copy(long from, MemorySegment to, long offset, long count) {
      rows.copy(KERNELS, from, to, offset, count);
    }
  }
}
