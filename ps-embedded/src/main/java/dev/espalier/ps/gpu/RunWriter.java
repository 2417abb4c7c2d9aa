package dev.espalier.ps.gpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Writes runs of pages as kernels read them (`struct Run` of `espalier.cu`).
///
/// Not thread-safe.
final class RunWriter {
  /// Bytes of a run.
  static final int BYTES = 48;

  private static final long FROM = 0;
  private static final long TO = 8;
  private static final long SEEN = 16;
  private static final long OFFSET = 24;
  private static final long GRADIENT = 32;
  private static final long LENGTH = 40;

  private final MemorySegment target;
  private int count;
  private int longest;

  /// Starts at the beginning of a segment.
  ///
  /// @param target of a multiple of [#BYTES] bytes
  RunWriter(MemorySegment target) {
    this.target = target;
  }

  /// Adds a run.
  ///
  /// @param from address of the page as it was
  /// @param to address of the page as it will be
  /// @param seen address of the page as the worker saw it, or 0
  /// @param offset bytes from the start of a plane
  /// @param gradient index of the first float in the gradients
  /// @param length floats
  void add(long from, long to, long seen, long offset, long gradient, int length) {
    long at = (long) count++ * BYTES;
    target.set(ValueLayout.JAVA_LONG, at + FROM, from);
    target.set(ValueLayout.JAVA_LONG, at + TO, to);
    target.set(ValueLayout.JAVA_LONG, at + SEEN, seen);
    target.set(ValueLayout.JAVA_LONG, at + OFFSET, offset);
    target.set(ValueLayout.JAVA_LONG, at + GRADIENT, gradient);
    target.set(ValueLayout.JAVA_LONG, at + LENGTH, length);
    longest = Math.max(longest, length);
  }

  int count() {
    return count;
  }

  int longest() {
    return longest;
  }

  boolean isFull() {
    return (count + 1L) * BYTES > target.byteSize();
  }

  long bytes() {
    return (long) count * BYTES;
  }
}
