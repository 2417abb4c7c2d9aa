package dev.espalier.ps.checkpoint;

import dev.espalier.ps.memory.Page;
import dev.espalier.ps.memory.SettledPages;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.zip.CRC32C;

/// Appends pages to a new pack; belongs to one thread.
final class PackWriter implements AutoCloseable {
  /*
   * Through the system's cache each byte is copied by a processor, which takes up to a second for a
   * gigabyte, from those who train. Around it the disk fetches the bytes from where they lie,
   * provided that address, place in the file and number are multiples of a block: pages begin at
   * such, and are written with what lies behind them in their memory up to the next. A page at another
   * address, and one of a device, is copied to where it may lie.
   *
   * Either way the disk works while the next pages are summed.
   */

  /// How bytes reach the disk.
  enum Way {
    THROUGH_CACHE(1),
    AROUND_CACHE(4096);

    /// Addresses, places and numbers of bytes are multiples of it. Pages of memory are of this size
    /// or a multiple of it; blocks of file systems may be smaller.
    private final int grain;

    Way(int grain) {
      this.grain = grain;
    }

    private long rounded(long bytes) {
      return (bytes + grain - 1) / grain * grain;
    }

    /// @throws UnsupportedOperationException where this JVM does not have this way
    private FileChannel open(Path file) throws IOException {
      Set<OpenOption> options = new HashSet<>();
      options.add(StandardOpenOption.CREATE);
      options.add(StandardOpenOption.TRUNCATE_EXISTING);
      options.add(StandardOpenOption.WRITE);
      if (this == AROUND_CACHE) {
        options.add(direct());
      }
      return FileChannel.open(file, options);
    }

    /// Of a module that not every runtime has, and that compilers warn of.
    private static OpenOption direct() {
      try {
        return (OpenOption)
            Class.forName("com.sun.nio.file.ExtendedOpenOption").getField("DIRECT").get(null);
      } catch (ReflectiveOperationException e) {
        throw new UnsupportedOperationException("no direct writes", e);
      }
    }
  }

  /// So much is handed to the disk before more is written through the cache.
  private static final long FORCED_BYTES = 32L << 20;

  private static final Executor DISK =
      task -> Thread.ofVirtual().name("checkpoint-disk").start(task);

  private final PageCatalog.Pack pack;
  private final Way way;
  private final FileChannel channel;
  private final Arena arena;
  private final int pieceBytes;
  private final SettledPages settled;
  private List<ByteBuffer> waiting = new ArrayList<>();
  private long waitingBytes;

  /// Where pages go through that cannot be written from where they lie; the other one belongs to
  /// what is being written.
  private MemorySegment staging = MemorySegment.NULL;

  private MemorySegment otherStaging = MemorySegment.NULL;
  private long staged;
  private long unforcedBytes;
  private CompletableFuture<Void> disk = CompletableFuture.completedFuture(null);
  private long position;
  private long contentBytes;

  /// @throws IOException when the file cannot be made, or not in this way
  PackWriter(PageCatalog.Pack pack, Path file, Way way, int pieceBytes, SettledPages settled)
      throws IOException {
    this.pack = pack;
    this.way = way;
    this.settled = settled;
    this.pieceBytes = Math.toIntExact(way.rounded(pieceBytes));
    try {
      channel = way.open(file);
    } catch (UnsupportedOperationException e) {
      throw new IOException(e);
    }
    arena = Arena.ofShared();
    position = way.rounded(Manifest.PACK_MAGIC.length);
    try {
      MemorySegment head = arena.allocate(position, way.grain);
      head.copyFrom(MemorySegment.ofArray(Manifest.PACK_MAGIC));
      waiting.add(head.asByteBuffer());
    } catch (OutOfMemoryError e) {
      close();
      throw e;
    }
  }

  PageCatalog.Place append(Page page, long bytes) throws IOException {
    CRC32C crc = new CRC32C();
    for (long done = 0; done < bytes; ) {
      int step = (int) Math.min(pieceBytes, bytes - done);
      int whole = Math.toIntExact(way.rounded(step));
      ByteBuffer content = content(page, done, step, whole);
      crc.update(content.slice(0, step));
      waiting.add(content);
      done += step;
      waitingBytes += whole;
      if (waitingBytes >= pieceBytes) {
        flush();
      }
    }
    var place = new PageCatalog.Place(pack, position, bytes, (int) crc.getValue());
    position += way.rounded(bytes);
    contentBytes += bytes;
    return place;
  }

  /// A part of a page and what follows it up to `whole` bytes, good until the second [#flush] from
  /// now. Where a device moves pages about, which may be on their way at this moment, it is a copy.
  private ByteBuffer content(Page page, long from, int bytes, int whole) throws IOException {
    if (page.isOnHost()) {
      MemorySegment memory = page.segment();
      boolean liesRight =
          (memory.address() + from) % way.grain == 0 && memory.byteSize() >= from + whole;
      return liesRight
          ? memory.asSlice(from, whole).asByteBuffer()
          : copied(memory.asSlice(from, bytes), whole);
    }
    MemorySegment copy = staged(whole);
    settled.download(page, from, copy.asSlice(0, bytes));
    return copy.asByteBuffer();
  }

  private ByteBuffer copied(MemorySegment content, int whole) throws IOException {
    MemorySegment copy = staged(whole);
    copy.copyFrom(content);
    return copy.asByteBuffer();
  }

  private MemorySegment staged(int bytes) throws IOException {
    if (staged + bytes > pieceBytes) {
      flush();
    }
    if (staging.byteSize() == 0) {
      staging = arena.allocate(pieceBytes, Math.max(way.grain, 64));
    }
    MemorySegment place = staging.asSlice(staged, bytes);
    staged += bytes;
    return place;
  }

  private void flush() throws IOException {
    ByteBuffer[] buffers = waiting.toArray(new ByteBuffer[0]);
    waiting = new ArrayList<>();
    unforcedBytes += waitingBytes;
    waitingBytes = 0;
    staged = 0;
    if (way == Way.AROUND_CACHE) {
      awaitDisk();
      disk = CompletableFuture.runAsync(() -> unchecked(() -> write(buffers)), DISK);
      MemorySegment written = staging;
      staging = otherStaging;
      otherStaging = written;
      return;
    }
    write(buffers);
    if (unforcedBytes >= FORCED_BYTES && disk.isDone()) {
      unforcedBytes = 0;
      disk = CompletableFuture.runAsync(() -> unchecked(() -> channel.force(false)), DISK);
    }
  }

  private void write(ByteBuffer[] buffers) throws IOException {
    int first = 0;
    while (first < buffers.length) {
      if (!buffers[first].hasRemaining()) {
        first++;
      } else {
        channel.write(buffers, first, buffers.length - first);
      }
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void unchecked(Work work) {
    try {
      work.run();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Makes everything durable.
  ///
  /// @return bytes of pages
  long finish() throws IOException {
    flush();
    awaitDisk();
    channel.force(true);
    return contentBytes;
  }

  private void awaitDisk() throws IOException {
    try {
      disk.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof UncheckedIOException unchecked
          ? unchecked.getCause()
          : new IOException(e.getCause());
    }
  }

  @Override
  public void close() throws IOException {
    disk.handle((_, _) -> true).join();
    arena.close();
    channel.close();
  }
}
