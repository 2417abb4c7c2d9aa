package dev.espalier.ps.link;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/// Off-heap buffers that go round, in sizes of powers of two. Larger ones are made as they are
/// asked for and not kept.
///
/// Thread-safe.
final class BufferPool {
  private static final int MIN_BYTES = 256;
  private static final int MAX_KEPT_BYTES = 64 << 20;

  /// Enough for the small frames of two clocks in flight, and for two large ones of each size.
  private static final int MAX_KEPT = 16;

  private static final int MIN_KEPT = 2;
  private static final int KEPT_BYTES = 1 << 20;

  private final Deque<ByteBuffer>[] free;

  @SuppressWarnings({"unchecked", "rawtypes"})
  BufferPool() {
    free = new Deque[sizeOf(MAX_KEPT_BYTES) + 1];
    for (int i = 0; i < free.length; i++) {
      free[i] = new ArrayDeque<>();
    }
  }

  /// A buffer whose limit is at `bytes`, with whatever content.
  synchronized ByteBuffer take(int bytes) {
    if (bytes > MAX_KEPT_BYTES) {
      return ByteBuffer.allocateDirect(bytes);
    }
    int size = sizeOf(bytes);
    ByteBuffer buffer = free[size].poll();
    if (buffer == null) {
      buffer = ByteBuffer.allocateDirect(1 << size);
    }
    return buffer.clear().limit(bytes);
  }

  /// Takes a buffer back.
  synchronized void giveBack(ByteBuffer buffer) {
    if (buffer.capacity() > MAX_KEPT_BYTES) {
      return;
    }
    Deque<ByteBuffer> same = free[sizeOf(buffer.capacity())];
    if (same.size() < Math.clamp(KEPT_BYTES / buffer.capacity(), MIN_KEPT, MAX_KEPT)) {
      same.push(buffer);
    }
  }

  private static int sizeOf(int bytes) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(MIN_BYTES, bytes) - 1);
  }
}
