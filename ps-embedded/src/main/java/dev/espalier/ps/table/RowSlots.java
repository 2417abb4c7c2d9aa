package dev.espalier.ps.table;

import java.util.Arrays;

/// A hash map from row numbers to slots 0, 1, 2, ... in the order of arrival; not thread-safe.
public final class RowSlots {
  private static final long EMPTY = -1;
  private static final int MIN_CAPACITY = 64;

  private long[] buckets = filled(MIN_CAPACITY);
  private int[] slots = new int[MIN_CAPACITY];
  private long[] keys = new long[MIN_CAPACITY / 2];
  private int size;

  /// The slot of a row, a new one when the row is new.
  public int slotOf(long row) {
    if (size == keys.length) {
      grow();
    }
    int bucket = bucketOf(row);
    if (buckets[bucket] == EMPTY) {
      buckets[bucket] = row;
      slots[bucket] = size;
      keys[size++] = row;
    }
    return slots[bucket];
  }

  private int bucketOf(long key) {
    int mask = buckets.length - 1;
    long mixed = key * 0x9E3779B97F4A7C15L;
    int bucket = (int) (mixed >>> 32) & mask;
    while (buckets[bucket] != EMPTY && buckets[bucket] != key) {
      bucket = (bucket + 1) & mask;
    }
    return bucket;
  }

  private void grow() {
    int capacity = Math.multiplyExact(buckets.length, 2);
    buckets = filled(capacity);
    slots = new int[capacity];
    keys = Arrays.copyOf(keys, capacity / 2);
    for (int slot = 0; slot < size; slot++) {
      int bucket = bucketOf(keys[slot]);
      buckets[bucket] = keys[slot];
      slots[bucket] = slot;
    }
  }

  private static long[] filled(int capacity) {
    long[] buckets = new long[capacity];
    Arrays.fill(buckets, EMPTY);
    return buckets;
  }

  /// Number of rows.
  public int size() {
    return size;
  }

  /// The row of a slot.
  public long row(int slot) {
    return keys[slot];
  }

  /// Forgets all rows and keeps the memory.
  public void clear() {
    if (size > 0) {
      Arrays.fill(buckets, EMPTY);
      size = 0;
    }
  }
}
