package dev.espalier.ps.link;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.memory.PagedRows;
import dev.espalier.ps.memory.RowGather;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowTarget;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The pages of a shard in another process of this host, mapped to be read.
///
/// Rows come from there straight into the reader's array: one copy in all, made by the reader, and
/// no byte through a wire. The shard holds the pages until the reader says that it has the rows.
final class MappedPages {
  private static final Pattern PATH = Pattern.compile("/proc/\\d+/fd/\\d+");

  /// Before the first byte, also with a row's place in its page added.
  private static final long NOWHERE = Long.MIN_VALUE / 2;

  private final MemorySegment mapped;
  private final MemorySegment memory;
  private final RowKernels kernels = RowKernelsProvider.best();

  @SuppressWarnings("restricted") // as long as the mapping, which is kept beside it
  private MappedPages(MemorySegment mapped) {
    this.mapped = mapped;
    // Of the same class as all memory off heap, so that the kernels are compiled for one alone.
    memory = MemorySegment.ofAddress(mapped.address()).reinterpret(mapped.byteSize()).asReadOnly();
  }

  /// Maps a shard's pages.
  ///
  /// @param pages as the shard named them; only paths that shards give are looked at
  /// @throws IOException when this process may not, as where it does not see the other one, or the
  ///   path means another file to it
  static MappedPages open(Handshake.Pages pages) throws IOException {
    if (!PATH.matcher(pages.path()).matches()) {
      throw new IOException("no pages are at " + pages.path());
    }
    Path path = Path.of(pages.path());
    // What lies there may be anybody's: to open a pipe would wait for its other end.
    if (!Files.isRegularFile(path)) {
      throw new IOException("no pages are at " + path);
    }
    try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
      if (!markOf(file).equals(pages.mark())) {
        throw new IOException(path + " is another file to this process");
      }
      return new MappedPages(
          file.map(FileChannel.MapMode.READ_ONLY, 0, file.size(), Arena.ofAuto()));
    }
  }

  private static UUID markOf(FileChannel file) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(2 * Long.BYTES);
    while (head.hasRemaining()) {
      if (file.read(head, head.position()) < 0) {
        throw new EOFException("the file ends within its mark");
      }
    }
    return new UUID(head.getLong(0), head.getLong(Long.BYTES));
  }

  /// Copies rows to where they are wanted.
  ///
  /// @param target null for an array of the reply's own
  /// @throws PsException `BAD_FRAME` when they are not where the reply says
  ShardReply deliver(ShardReply.Placed placed, RowSelection rows, @Nullable RowTarget target) {
    try {
      if (target == null) {
        float[] values = new float[Math.multiplyExact(rows.count(), placed.columns())];
        copy(placed, rows, new RowTarget(values, 0, placed.columns(), null));
        return new ShardReply.Rows(values);
      }
      copy(placed, rows, target);
    } catch (IndexOutOfBoundsException e) {
      throw new PsException(PsFault.BAD_FRAME, "rows are not where the shard says: " + e, e);
    }
    return new ShardReply.Delivered(rows.count());
  }

  private void copy(ShardReply.Placed placed, RowSelection rows, RowTarget target) {
    Optional<RowGather> gather = RowGather.ofThisMachine();
    if (gather.isPresent()
        && rows instanceof RowSelection.Keys(long[] keys)
        && target.isContiguous()
        && 4L * target.columns() <= RowGather.MAX_ROW_BYTES) {
      copyTogether(gather.get(), placed, keys, target);
    } else {
      copyOneByOne(placed, rows, target);
    }
    Reference.reachabilityFence(mapped);
  }

  private void copyTogether(
      RowGather gather, ShardReply.Placed placed, long[] keys, RowTarget target) {
    long rowBytes = 4L * target.columns();
    long[] offsets = offsets(placed);
    int firstPage = placed.pages()[0];
    new PagedRows(
            placed.firstRow(),
            placed.rowsPerPage(),
            rowBytes,
            page ->
                memory.address()
                    + Objects.checkFromIndexSize(
                        offsets[Math.toIntExact(page - firstPage)],
                        placed.rowsPerPage() * rowBytes,
                        memory.byteSize()))
        .gather(
            gather,
            keys,
            0,
            keys.length,
            MemorySegment.ofArray(target.values()),
            4L * target.indexOf(0));
  }

  private void copyOneByOne(ShardReply.Placed placed, RowSelection rows, RowTarget target) {
    int columns = target.columns();
    long rowBytes = 4L * columns;
    int firstPage = placed.pages()[0];
    long[] offsets = offsets(placed);
    boolean isRange = rows instanceof RowSelection.Range && target.isContiguous();
    long begin = 0;
    long end = 0;
    long page = 0;
    for (int position = 0; position < rows.count(); ) {
      long row = rows.row(position);
      if (row < begin || row >= end) {
        long index = (row - placed.firstRow()) / placed.rowsPerPage();
        begin = placed.firstRow() + index * placed.rowsPerPage();
        end = begin + placed.rowsPerPage();
        page = offsets[Math.toIntExact(index - firstPage)];
      }
      int count = isRange ? (int) Math.min(rows.count() - position, end - row) : 1;
      kernels.load(
          memory,
          page + (row - begin) * rowBytes,
          target.values(),
          target.indexOf(position),
          count * columns);
      position += count;
    }
  }

  /// Where each page from the first on lies; nowhere when it was not named.
  private static long[] offsets(ShardReply.Placed placed) {
    int[] pages = placed.pages();
    long[] offsets = new long[pages[pages.length - 1] - pages[0] + 1];
    Arrays.fill(offsets, NOWHERE);
    for (int i = 0; i < pages.length; i++) {
      offsets[pages[i] - pages[0]] = placed.offsets()[i];
    }
    return offsets;
  }
}
