package dev.espalier.ps.shard;

import dev.espalier.ps.table.ArraySource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/// Arrays of updates that were applied, for updates to come: a clock's are as long as those of the
/// clock before, and a fresh array is filled with zeros before anything else is.
///
/// Thread-safe.
public final class ArrayPool implements ArraySource {
  /// Shorter arrays are made faster than found.
  private static final int MIN_LENGTH = 4096;

  private static final int MAX_PER_LENGTH = 8;

  /// An eighth of the heap holds the sums of a table that is large for it.
  private static final long MAX_BYTES = Math.max(128L << 20, Runtime.getRuntime().maxMemory() / 8);

  private final Map<Integer, Deque<float[]>> free = new HashMap<>();
  private long bytes;

  @Override
  public float[] take(int length) {
    return length < MIN_LENGTH ? new float[length] : find(length);
  }

  private float[] find(int length) {
    synchronized (this) {
      Deque<float[]> same = free.get(length);
      if (same != null) {
        float[] array = same.pop();
        if (same.isEmpty()) {
          free.remove(length);
        }
        bytes -= 4L * length;
        return array;
      }
    }
    return new float[length];
  }

  @Override
  public synchronized void giveBack(float[] array) {
    if (array.length < MIN_LENGTH || 4L * array.length > MAX_BYTES) {
      return;
    }
    if (bytes + 4L * array.length > MAX_BYTES) {
      // Most of it is of lengths that do not come any more.
      free.clear();
      bytes = 0;
    }
    Deque<float[]> same = free.computeIfAbsent(array.length, _ -> new ArrayDeque<>());
    for (float[] other : same) {
      if (other == array) {
        return;
      }
    }
    if (same.size() < MAX_PER_LENGTH) {
      same.push(array);
      bytes += 4L * array.length;
    }
  }
}
