package dev.espalier.ps.plan;

import java.util.Arrays;

/// The reads and updates of one clock, in their order.
///
/// An access is about a range of rows or about rows by number. Not thread-safe.
public final class AccessLog {
  static final int UPDATE = 1;
  static final int BY_NUMBER = 2;
  private static final int TABLE_SHIFT = 2;
  private static final int MIN_CAPACITY = 16;

  /* One entry an access: what it is, how many rows, and the first row of a range or the place of the
   * row numbers in `numbers`. */
  private int[] heads = new int[MIN_CAPACITY];
  private int[] counts = new int[MIN_CAPACITY];
  private long[] firsts = new long[MIN_CAPACITY];
  private int size;
  private long[] numbers = new long[MIN_CAPACITY];
  private int numberCount;

  /// Appends an access to `count` consecutive rows.
  public void addRange(boolean isUpdate, int table, long first, int count) {
    append(head(isUpdate, false, table), count, first);
  }

  /// Appends an access to the first `count` of these rows.
  public void addRows(boolean isUpdate, int table, long[] rows, int count) {
    append(head(isUpdate, true, table), count, numberCount);
    if (numbers.length - numberCount < count) {
      numbers = Arrays.copyOf(numbers, Math.max(2 * numbers.length, numberCount + count));
    }
    System.arraycopy(rows, 0, numbers, numberCount, count);
    numberCount += count;
  }

  private void append(int head, int count, long first) {
    if (size == heads.length) {
      heads = Arrays.copyOf(heads, 2 * size);
      counts = Arrays.copyOf(counts, 2 * size);
      firsts = Arrays.copyOf(firsts, 2 * size);
    }
    heads[size] = head;
    counts[size] = count;
    firsts[size] = first;
    size++;
  }

  static int head(boolean isUpdate, boolean isByNumber, int table) {
    return table << TABLE_SHIFT | (isByNumber ? BY_NUMBER : 0) | (isUpdate ? UPDATE : 0);
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
        && Arrays.equals(heads, 0, size, other.heads, 0, size)
        && Arrays.equals(counts, 0, size, other.counts, 0, size)
        && Arrays.equals(firsts, 0, size, other.firsts, 0, size)
        && Arrays.equals(numbers, 0, numberCount, other.numbers, 0, numberCount);
  }

  /// Whether access `i` is of this kind and begins with this row.
  boolean is(int i, int head, long first) {
    return heads[i] == head && firsts[i] == first;
  }

  /// Whether access `i` is this one.
  boolean isRange(int i, int head, long first, int count) {
    return heads[i] == head && firsts[i] == first && counts[i] == count;
  }

  /// Whether access `i` is this one.
  boolean isRows(int i, int head, long[] rows, int count) {
    if (heads[i] != head || counts[i] != count) {
      return false;
    }
    int from = (int) firsts[i];
    return Arrays.equals(numbers, from, from + count, rows, 0, count);
  }

  int table(int i) {
    return heads[i] >> TABLE_SHIFT;
  }

  boolean isUpdate(int i) {
    return (heads[i] & UPDATE) != 0;
  }

  boolean isByNumber(int i) {
    return (heads[i] & BY_NUMBER) != 0;
  }

  int count(int i) {
    return counts[i];
  }

  /// Row number of the `k`-th row of access `i`.
  long row(int i, int k) {
    return isByNumber(i) ? numbers[(int) firsts[i] + k] : firsts[i] + k;
  }
}
