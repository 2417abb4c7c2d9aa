package dev.espalier.ps.shard;

import dev.espalier.ps.memory.Page;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Rows that lie together in one page, left where they are: the page is pinned until [#close], and
/// an update before that goes to another page.
///
/// Safe for use by several threads, one after the other.
public final class PinnedRows implements RowCollector, AutoCloseable {
  private @Nullable Page page;
  private long offset;
  private int rows;
  private int taken;
  private boolean isWhole;

  @Override
  public boolean wantsPages() {
    return true;
  }

  @Override
  public synchronized void begin(int count, int columns, int bound) {
    rows = count;
    taken = 0;
  }

  @Override
  public synchronized void take(Page from, long at, int position, int count) {
    if (page == null) {
      from.pin();
      page = from;
      offset = at;
    }
    taken++;
    isWhole = taken == 1 && count == rows;
  }

  /// Not called: nothing is wanted but pages.
  @Override
  public void take(MemorySegment values, long at, int position, int count) {
    throw new IllegalStateException("rows that are pinned must come in pages");
  }

  @Override
  public ShardReply end() {
    return new ShardReply.Delivered(rows);
  }

  /// Whether all rows lie in the one page, so that [#address] means all of them.
  public synchronized boolean isWhole() {
    return isWhole;
  }

  /// Address of the first row's parameters; the other rows follow.
  ///
  /// @throws IllegalStateException when the rows are not pinned
  public synchronized long address() {
    return pinned().address() + offset;
  }

  /// Whether the address is one of a device.
  ///
  /// @throws IllegalStateException when the rows are not pinned
  public synchronized boolean isOnDevice() {
    return pinned().isOnDevice();
  }

  private Page pinned() {
    if (page == null) {
      throw new IllegalStateException("rows must be pinned but were released or never read");
    }
    return page;
  }

  /// Unpins the page; further calls do nothing.
  @Override
  public synchronized void close() {
    if (page != null) {
      page.unpin();
      page = null;
    }
  }
}
