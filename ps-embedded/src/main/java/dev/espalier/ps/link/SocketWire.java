package dev.espalier.ps.link;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.List;

/// A [Wire] over a blocking socket.
final class SocketWire implements Wire {
  /// Small enough to stay in a core's cache between the kernel's copy and ours; of what is smaller,
  /// more is lost to system calls.
  private static final int INBOUND_BYTES = 1 << 20;

  /// For what has to be copied off heap; larger would only delay the first byte.
  private static final int STAGING_BYTES = 512 << 10;

  /// From so many bytes on, memory off heap is handed to the kernel where it lies.
  private static final int MIN_DIRECT_BYTES = 4096;

  /// A system call takes at most so many buffers.
  private static final int MAX_PARTS = 64;

  /// What fewer bytes were read is a small message, or the end of a large one.
  private static final int MIN_BULK_BYTES = 4096;

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final SocketChannel channel;
  private final ByteBuffer inbound =
      ByteBuffer.allocateDirect(INBOUND_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private int lastCount;

  // Belong to the thread that sends.
  private final ByteBuffer staged = ByteBuffer.allocateDirect(STAGING_BYTES);
  private final MemorySegment staging = MemorySegment.ofBuffer(staged.duplicate());
  private final ByteBuffer[] parts = new ByteBuffer[MAX_PARTS];
  private int stagedBegin;
  private int partCount;

  SocketWire(SocketChannel channel) {
    this.channel = channel;
  }

  @Override
  public ByteBuffer receive() throws IOException {
    inbound.clear();
    if (lastCount >= MIN_BULK_BYTES) {
      lookForMore();
    }
    lastCount = channel.read(inbound);
    if (lastCount < 0) {
      throw new EOFException("the other side closed the connection");
    }
    return inbound.flip();
  }

  /// A large message comes in pieces, and a reader that is faster than its sender would sleep after
  /// each of them. Small ones are better read together, when some have come.
  private void lookForMore() throws IOException {
    InputStream arrived = channel.socket().getInputStream();
    var _ = Look.sees(() -> arrived.available() > 0);
  }

  @Override
  public void send(List<Piece> pieces) throws IOException {
    for (Piece piece : pieces) {
      if (piece instanceof Piece.Together(MemorySegment memory)
          && memory.isNative()
          && memory.byteSize() >= MIN_DIRECT_BYTES) {
        endStaged();
        queue(memory.asByteBuffer());
      } else {
        stage(piece);
      }
    }
    endStaged();
    flush();
  }

  /// Copies a piece to where the socket can take it, bit by bit, so that it stays in the cache.
  private void stage(Piece piece) throws IOException {
    for (long done = 0; done < piece.bytes(); ) {
      if (!staged.hasRemaining()) {
        endStaged();
        flush();
      }
      int step = (int) Math.min(staged.remaining(), piece.bytes() - done);
      piece.copy(done, staging, staged.position(), step);
      staged.position(staged.position() + step);
      done += step;
    }
  }

  private void endStaged() throws IOException {
    if (staged.position() > stagedBegin) {
      queue(staged.slice(stagedBegin, staged.position() - stagedBegin));
      stagedBegin = staged.position();
    }
  }

  private void queue(ByteBuffer part) throws IOException {
    parts[partCount++] = part;
    if (partCount == parts.length) {
      flush();
    }
  }

  private void flush() throws IOException {
    int first = 0;
    while (first < partCount) {
      channel.write(parts, first, partCount - first);
      while (first < partCount && !parts[first].hasRemaining()) {
        first++;
      }
    }
    Arrays.fill(parts, 0, partCount, NOTHING);
    partCount = 0;
    staged.position(stagedBegin);
    if (stagedBegin > 0) {
      staged.clear();
      stagedBegin = 0;
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException _) {
      // It is of no use any more in any case.
    }
  }
}
