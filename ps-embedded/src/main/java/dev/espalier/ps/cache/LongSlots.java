package dev.espalier.ps.cache;

import java.util.Arrays;

/// A hash map from longs >= 0 to slots 0, 1, 2, ... in the order of arrival.
final class LongSlots {
  private static final long EMPTY = -1;
  private static final int MIN_CAPACITY = 64;

  private long[] buckets = filled(MIN_CAPACITY);
  private int[] slots = new int[MIN_CAPACITY];
  private long[] keys = new long[MIN_CAPACITY / 2];
  private int size;

  /// The slot of a key, a new one when the key is new.
  int slotOf(long key) {
    if (size == keys.length) {
      grow();
    }
    int bucket = bucketOf(key);
    if (buckets[bucket] == EMPTY) {
      buckets[bucket] = key;
      slots[bucket] = size;
      keys[size++] = key;
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

  /// Number of keys.
  int size() {
    return size;
  }

  /// The key of a slot.
  long key(int slot) {
    return keys[slot];
  }

  /// Forgets all keys and keeps the memory.
  void clear() {
    if (size > 0) {
      Arrays.fill(buckets, EMPTY);
      size = 0;
    }
  }
}
