package dev.espalier.ps.link;

import dev.espalier.ps.branch.HeldRows;
import dev.espalier.ps.branch.PageRuns;
import dev.espalier.ps.shard.RowCollector;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowSelection;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// Rows on their way to a wire.
///
/// Those of a read at staleness 0 are held where they lie, and copied when they are sent, without
/// the shard's lock. Nobody writes them before the reader's next push, which says that they
/// arrived, so holding them takes no fresh page. All else is copied at once, into one buffer.
final class PinnedRows implements RowCollector {
  private final BufferPool buffers;
  private @Nullable HeldRows held;
  private @Nullable ByteBuffer copies;
  private int rows;
  private int columns;
  private boolean mayHold;

  PinnedRows(BufferPool buffers) {
    this.buffers = buffers;
  }

  @Override
  public void begin(int rows, int columns, int bound) {
    this.rows = rows;
    this.columns = columns;
    mayHold = bound == 0;
    Math.multiplyExact(rows, columns * Float.BYTES);
  }

  @Override
  public boolean holdsRows() {
    return mayHold;
  }

  @Override
  public void take(HeldRows all) {
    held = all;
  }

  @Override
  public void take(MemorySegment values, long offset, int position, int count) {
    int bytes = count * columns * Float.BYTES;
    ByteBuffer target = copies == null ? buffers.take(rows * columns * Float.BYTES) : copies;
    copies = target;
    MemorySegment.copy(values, offset, MemorySegment.ofBuffer(target), 0, bytes);
    target.position(target.position() + bytes);
  }

  @Override
  public ShardReply end() {
    return new ShardReply.Delivered(rows);
  }

  /// Number of floats.
  int values() {
    return rows * columns;
  }

  /// Puts the rows' bytes, in order, into a frame.
  void putInto(LinkFrame frame) {
    if (copies != null) {
      frame.put(MemorySegment.ofBuffer(copies.duplicate().flip()));
    }
    HeldRows all = held;
    if (all == null) {
      return;
    }
    if (all.rows() instanceof RowSelection.Keys) {
      frame.put(new Piece.Apart(all));
    } else {
      PageRuns.forEach(
          all.rows(),
          all.layout(),
          (page, firstRow, count, _) ->
              frame.put(
                  all.page(page)
                      .segment()
                      .asSlice(
                          all.layout().offsetOf(firstRow), (long) count * columns * Float.BYTES)));
    }
  }

  /// Lets the pages go and gives the buffer back.
  void release() {
    if (held != null) {
      held.release();
      held = null;
    }
    if (copies != null) {
      buffers.giveBack(copies);
      copies = null;
    }
  }
}
