package dev.espalier.ps.link;

import dev.espalier.ps.transport.FrameOutput;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/*
 *   0         4                 12                20
 *   +---------+-----------------+-----------------+-------------------------
 *   | bytes i | number l        | received l      | frame of FrameCodec ...
 *   +---------+-----------------+-----------------+-------------------------
 *
 * Little-endian. `bytes` counts the frame alone. A command has the number of commands sent before it
 * and itself, a reply the number of the command it answers. `received` is how many frames of this
 * session the sender has taken whole, so that the receiver may forget them.
 */

/// A frame on its way to a wire, as the pieces of memory it lies in.
///
/// Small values are gathered in a buffer of the frame's own; large arrays stay where they are, so
/// that the wire copies them, once, to where they have to go. A frame can be sent again.
final class LinkFrame implements FrameOutput {
  static final int HEAD_BYTES = 20;
  private static final int RECEIVED_OFFSET = 12;
  private static final int CHUNK_BYTES = 4096;

  /// A piece of its own costs more than the copy of fewer bytes.
  private static final int MIN_PIECE_BYTES = 1024;

  /// @param bytes of the frame that follows
  /// @param number of the command, or of the command answered
  /// @param received frames that the sender had taken when it sent this one
  record Head(int bytes, long number, long received) {}

  private final long number;
  private final BufferPool buffers;
  private final @Nullable KeyCache keys;
  private final List<Piece> pieces = new ArrayList<>();
  private final List<ByteBuffer> chunks = new ArrayList<>();
  private ByteBuffer chunk = ByteBuffer.allocate(0);
  private int pieceBegin;
  private long bytes;

  /// @param number of the command, or of the command answered
  /// @param buffers for what is small
  LinkFrame(long number, BufferPool buffers) {
    this(number, buffers, null);
  }

  /// @param keys the row numbers that the reader knows; null to name none
  LinkFrame(long number, BufferPool buffers, @Nullable KeyCache keys) {
    this.number = number;
    this.buffers = buffers;
    this.keys = keys;
    nextChunk(CHUNK_BYTES);
  }

  long number() {
    return number;
  }

  /// Bytes of the frame and its head.
  long bytes() {
    return bytes;
  }

  private void nextChunk(int size) {
    chunk = buffers.take(size).order(ByteOrder.LITTLE_ENDIAN);
    chunks.add(chunk);
    pieceBegin = 0;
  }

  @Override
  public void begin(int frameBytes) {
    bytes = (long) HEAD_BYTES + frameBytes;
    chunk.putInt(frameBytes).putLong(number).putLong(0);
  }

  private ByteBuffer room(int size) {
    if (chunk.remaining() < size) {
      endPiece();
      nextChunk(Math.max(CHUNK_BYTES, size));
    }
    return chunk;
  }

  private void endPiece() {
    int size = chunk.position() - pieceBegin;
    if (size > 0) {
      pieces.add(new Piece.Together(MemorySegment.ofBuffer(chunk.slice(pieceBegin, size))));
      pieceBegin = chunk.position();
    }
  }

  @Override
  public void putByte(byte value) {
    room(Byte.BYTES).put(value);
  }

  @Override
  public void putShort(short value) {
    room(Short.BYTES).putShort(value);
  }

  @Override
  public void putInt(int value) {
    room(Integer.BYTES).putInt(value);
  }

  @Override
  public void putLong(long value) {
    room(Long.BYTES).putLong(value);
  }

  @Override
  public void put(byte[] values) {
    put(MemorySegment.ofArray(values));
  }

  @Override
  public void put(long[] values) {
    put(MemorySegment.ofArray(values));
  }

  @Override
  public void put(float[] values, int from, int count) {
    put(
        MemorySegment.ofArray(values)
            .asSlice((long) from * Float.BYTES, (long) count * Float.BYTES));
  }

  @Override
  public int nameOf(long[] list) {
    if (keys == null) {
      return NAMELESS;
    }
    int slot = keys.find(list);
    if (slot >= 0) {
      return slot;
    }
    if (!keys.isRepeated(list)) {
      return NAMELESS;
    }
    keys.add(list);
    return LEARNED;
  }

  /// Puts bytes, which must stay as they are for as long as the frame may be sent.
  void put(MemorySegment memory) {
    if (memory.byteSize() >= MIN_PIECE_BYTES) {
      put(new Piece.Together(memory));
    } else {
      int size = (int) memory.byteSize();
      ByteBuffer target = room(size);
      MemorySegment.copy(memory, 0, MemorySegment.ofBuffer(target), 0, size);
      target.position(target.position() + size);
    }
  }

  /// Puts bytes that stay where they are.
  void put(Piece piece) {
    endPiece();
    pieces.add(piece);
  }

  /// Ends the frame.
  LinkFrame finish() {
    endPiece();
    return this;
  }

  /// Sends all of it, for the first time or again.
  ///
  /// @param received how many frames of the session were taken so far
  void send(Wire wire, long received) throws IOException {
    chunks.getFirst().putLong(RECEIVED_OFFSET, received);
    wire.send(pieces);
  }

  /// Gives its buffers back.
  void release() {
    pieces.clear();
    chunks.forEach(buffers::giveBack);
    chunks.clear();
  }
}
