package dev.espalier.ps.link;

import dev.espalier.ps.memory.Page;
import dev.espalier.ps.shard.RowCollector;
import dev.espalier.ps.shard.ShardReply;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Rows on their way to a wire.
///
/// Long runs of a read at staleness 0 are not copied at all: their pages are pinned and sent as
/// they lie. Nobody writes them before the reader's next push, which says that they arrived, so
/// pinning them takes no fresh page. All else is copied once, into one buffer.
final class PinnedRows implements RowCollector {
  /// From so many bytes on, a buffer of its own costs less than a copy.
  private static final int MIN_PINNED_BYTES = 4096;

  private final BufferPool buffers;
  private final List<Page> pinned = new ArrayList<>();
  private final List<MemorySegment> parts = new ArrayList<>();
  private @Nullable ByteBuffer copies;
  private int copiedFrom;
  private int rows;
  private int columns;
  private boolean mayPin;

  PinnedRows(BufferPool buffers) {
    this.buffers = buffers;
  }

  @Override
  public void begin(int rows, int columns, int bound) {
    this.rows = rows;
    this.columns = columns;
    mayPin = bound == 0;
    Math.multiplyExact(rows, columns * Float.BYTES);
  }

  @Override
  public void take(Page page, long offset, int position, int count) {
    int bytes = count * columns * Float.BYTES;
    if (mayPin && bytes >= MIN_PINNED_BYTES) {
      page.retain();
      pinned.add(page);
      endCopies();
      parts.add(page.segment().asSlice(offset, bytes));
    } else {
      take(page.segment(), offset, position, count);
    }
  }

  @Override
  public void take(MemorySegment values, long offset, int position, int count) {
    int bytes = count * columns * Float.BYTES;
    ByteBuffer target = copies(position);
    MemorySegment.copy(values, offset, MemorySegment.ofBuffer(target), 0, bytes);
    target.position(target.position() + bytes);
  }

  /// The buffer of copies, large enough for all rows that have not come yet.
  private ByteBuffer copies(int position) {
    if (copies == null) {
      copies = buffers.take((rows - position) * columns * Float.BYTES);
    }
    return copies;
  }

  private void endCopies() {
    if (copies != null && copies.position() > copiedFrom) {
      parts.add(MemorySegment.ofBuffer(copies.slice(copiedFrom, copies.position() - copiedFrom)));
      copiedFrom = copies.position();
    }
  }

  @Override
  public ShardReply end() {
    endCopies();
    return new ShardReply.Delivered(rows);
  }

  /// Number of floats.
  int values() {
    return rows * columns;
  }

  /// Puts the rows' bytes, in order, into a frame.
  void putInto(LinkFrame frame) {
    parts.forEach(frame::put);
  }

  /// Unpins the pages and gives the buffer back.
  void release() {
    pinned.forEach(Page::release);
    pinned.clear();
    parts.clear();
    if (copies != null) {
      buffers.giveBack(copies);
      copies = null;
    }
  }
}
