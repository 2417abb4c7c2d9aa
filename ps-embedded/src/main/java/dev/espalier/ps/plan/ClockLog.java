package dev.espalier.ps.plan;

import java.util.ArrayList;
import java.util.List;

/// The accesses of one clock: the reads of each table in their order, and its updates in theirs.
///
/// In which order tables and kinds alternate is not in it and makes no difference: reads see what
/// was there before the clock, updates leave after it. Not thread-safe.
public final class ClockLog {
  private final List<AccessLog> reads = new ArrayList<>();
  private final List<AccessLog> updates = new ArrayList<>();
  private int size;

  /// Creates an empty log.
  ///
  /// @param tables number of tables
  public ClockLog(int tables) {
    for (int table = 0; table < tables; table++) {
      reads.add(new AccessLog());
      updates.add(new AccessLog());
    }
  }

  /// Appends an access to `count` consecutive rows.
  public void addRange(boolean isUpdate, int table, long first, int count) {
    of(isUpdate, table).addRange(first, count);
    size++;
  }

  /// Appends an access to the first `count` of these rows.
  public void addRows(boolean isUpdate, int table, long[] rows, int count) {
    of(isUpdate, table).addRows(rows, count);
    size++;
  }

  private AccessLog of(boolean isUpdate, int table) {
    return (isUpdate ? updates : reads).get(table);
  }

  AccessLog reads(int table) {
    return reads.get(table);
  }

  AccessLog updates(int table) {
    return updates.get(table);
  }

  /// Forgets everything and keeps the memory.
  public void clear() {
    reads.forEach(AccessLog::clear);
    updates.forEach(AccessLog::clear);
    size = 0;
  }

  /// Number of accesses.
  public int size() {
    return size;
  }

  /// Whether another log, of the same tables, has the same accesses.
  public boolean isSameAs(ClockLog other) {
    if (size != other.size) {
      return false;
    }
    for (int table = 0; table < reads.size(); table++) {
      if (!reads.get(table).isSameAs(other.reads.get(table))
          || !updates.get(table).isSameAs(other.updates.get(table))) {
        return false;
      }
    }
    return true;
  }
}
