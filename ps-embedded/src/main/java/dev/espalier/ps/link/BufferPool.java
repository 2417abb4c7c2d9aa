package dev.espalier.ps.link;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/// Off-heap buffers that go round, in sizes of powers of two.
///
/// Thread-safe.
final class BufferPool {
  private static final int MIN_BYTES = 256;
  private static final int SIZES = 31;

  /// Enough for the small frames of two clocks in flight, and for two large ones of any size.
  private static final int MAX_KEPT = 16;

  private static final int MIN_KEPT = 2;
  private static final int KEPT_BYTES = 1 << 20;

  private final Deque<ByteBuffer>[] free;

  @SuppressWarnings({"unchecked", "rawtypes"})
  BufferPool() {
    free = new Deque[SIZES];
    for (int i = 0; i < SIZES; i++) {
      free[i] = new ArrayDeque<>();
    }
  }

  /// A buffer whose limit is at `bytes`, with whatever content.
  synchronized ByteBuffer take(int bytes) {
    int size = sizeOf(bytes);
    ByteBuffer buffer = free[size].poll();
    if (buffer == null) {
      buffer = ByteBuffer.allocateDirect((int) Math.min(1L << size, Integer.MAX_VALUE - 8));
    }
    return buffer.clear().limit(bytes);
  }

  /// Takes a buffer back.
  synchronized void giveBack(ByteBuffer buffer) {
    Deque<ByteBuffer> same = free[sizeOf(buffer.capacity())];
    if (same.size() < Math.clamp(KEPT_BYTES / buffer.capacity(), MIN_KEPT, MAX_KEPT)) {
      same.push(buffer);
    }
  }

  private static int sizeOf(int bytes) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(MIN_BYTES, bytes) - 1);
  }
}
