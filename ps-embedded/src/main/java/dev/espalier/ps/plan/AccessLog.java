package dev.espalier.ps.plan;

import java.util.Arrays;

/// The reads, or the updates, of one table in a clock, in their order.
///
/// An access is about a range of rows or about rows by number. Not thread-safe.
public final class AccessLog {
  private static final int MIN_CAPACITY = 16;

  /* One entry an access: the number of rows, complemented where they have numbers, and the first row of
   * a range or the place of the row numbers in `numbers`. */
  private int[] counts = new int[MIN_CAPACITY];
  private long[] firsts = new long[MIN_CAPACITY];
  private int size;
  private long[] numbers = new long[MIN_CAPACITY];
  private int numberCount;

  /// Appends an access to `count` consecutive rows.
  public void addRange(long first, int count) {
    append(count, first);
  }

  /// Appends an access to the first `count` of these rows.
  public void addRows(long[] rows, int count) {
    append(~count, numberCount);
    if (numbers.length - numberCount < count) {
      numbers = Arrays.copyOf(numbers, Math.max(2 * numbers.length, numberCount + count));
    }
    System.arraycopy(rows, 0, numbers, numberCount, count);
    numberCount += count;
  }

  private void append(int count, long first) {
    if (size == counts.length) {
      counts = Arrays.copyOf(counts, 2 * size);
      firsts = Arrays.copyOf(firsts, 2 * size);
    }
    counts[size] = count;
    firsts[size] = first;
    size++;
  }

  /// Forgets everything and keeps the memory.
  public void clear() {
    size = 0;
    numberCount = 0;
  }

  /// Number of accesses.
  public int size() {
    return size;
  }

  /// Whether another log has the same accesses in the same order.
  public boolean isSameAs(AccessLog other) {
    return size == other.size
        && numberCount == other.numberCount
        && Arrays.equals(counts, 0, size, other.counts, 0, size)
        && Arrays.equals(firsts, 0, size, other.firsts, 0, size)
        && Arrays.equals(numbers, 0, numberCount, other.numbers, 0, numberCount);
  }

  /// Whether access `i` is this one; no access has an index beyond the last.
  boolean isRange(int i, long first, int count) {
    return i < size && firsts[i] == first && counts[i] == count;
  }

  /// Whether access `i` is this one; no access has an index beyond the last.
  boolean isRows(int i, long[] rows, int count) {
    if (i >= size || counts[i] != ~count) {
      return false;
    }
    int from = (int) firsts[i];
    return Arrays.equals(numbers, from, from + count, rows, 0, count);
  }

  boolean isByNumber(int i) {
    return counts[i] < 0;
  }

  int count(int i) {
    return isByNumber(i) ? ~counts[i] : counts[i];
  }

  /// Row number of the `k`-th row of access `i`.
  long row(int i, int k) {
    return isByNumber(i) ? numbers[(int) firsts[i] + k] : firsts[i] + k;
  }
}
