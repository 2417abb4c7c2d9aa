package dev.espalier.ps.link;

import dev.espalier.ps.branch.HeldRows;
import dev.espalier.ps.branch.PageRuns;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.memory.SharedTier;
import dev.espalier.ps.shard.RowCollector;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.transport.FrameCodec;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Rows on their way to a wire.
///
/// Those of a read at staleness 0 are held where they lie, and copied when they are sent, without
/// the shard's lock. Nobody writes them before the reader's next push, which says that they
/// arrived, so holding them takes no fresh page. A reader that has mapped the pages is told where
/// they lie and copies them itself. All else is copied at once, into one buffer.
final class ServedRows implements RowCollector {
  /// The bytes of fewer rows are there sooner than the reader has found them.
  private static final int MIN_PLACED_BYTES = 16 << 10;

  /// So many bytes of rows must lie in a page, on the average; its place takes 12.
  private static final int MIN_BYTES_PER_PAGE = 64;

  /// A frame's length is an int, and so is a buffer's.
  private static final long MAX_BYTES = Integer.MAX_VALUE - 64;

  private final BufferPool buffers;
  private final Optional<SharedTier> shared;
  private @Nullable HeldRows held;
  private @Nullable ByteBuffer copies;
  private int rows;
  private int columns;
  private boolean mayHold;

  /// @param shared the memory of the pages, if the reader has mapped it
  ServedRows(BufferPool buffers, Optional<SharedTier> shared) {
    this.buffers = buffers;
    this.shared = shared;
  }

  @Override
  public void begin(int rows, int columns, int bound) {
    this.rows = rows;
    this.columns = columns;
    mayHold = bound == 0;
    long bytes = (long) rows * columns * Float.BYTES;
    if (bytes > MAX_BYTES) {
      throw new PsException(
          PsFault.BAD_REQUEST,
          "a read of another process's rows must take at most %d bytes, but %d rows of %d columns take %d"
              .formatted(MAX_BYTES, rows, columns, bytes));
    }
  }

  @Override
  public boolean holdsRows(RowSelection selection) {
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

  /// Puts a reply with the rows, or with where they lie.
  void encode(LinkFrame frame) {
    Optional<ShardReply.Placed> placed = placed();
    if (placed.isPresent()) {
      FrameCodec.encode(placed.get(), frame);
    } else {
      FrameCodec.encodeRowsHead(rows * columns, frame);
      putInto(frame);
    }
  }

  /// Where the rows lie, for a reader that has mapped their pages; empty when it is to be sent
  /// them.
  private Optional<ShardReply.Placed> placed() {
    HeldRows all = held;
    if (all == null || shared.isEmpty() || all.bytes() < MIN_PLACED_BYTES) {
      return Optional.empty();
    }
    int count = all.pageCount();
    if (all.bytes() < (long) MIN_BYTES_PER_PAGE * count) {
      return Optional.empty();
    }
    int[] pages = new int[count];
    long[] offsets = new long[count];
    var next = new int[1];
    all.forEachPage((index, page) -> {
      pages[next[0]] = index;
      offsets[next[0]++] = shared.get().offsetOf(page.segment());
    });
    return Optional.of(
        new ShardReply.Placed(
            all.layout().range().first(), all.layout().rowsPerPage(), columns, pages, offsets));
  }

  /// Puts the rows' bytes, in order, into a frame.
  private void putInto(LinkFrame frame) {
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
