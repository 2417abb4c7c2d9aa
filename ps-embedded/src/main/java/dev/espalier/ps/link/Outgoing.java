package dev.espalier.ps.link;

import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.transport.FrameCodec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/// A reply that is kept until the other side says that it has it.
final class Outgoing {
  private final BufferPool buffers;
  private final ByteBuffer head;
  private final PinnedRows rows;

  private Outgoing(BufferPool buffers, ByteBuffer head, PinnedRows rows) {
    this.buffers = buffers;
    this.head = head;
    this.rows = rows;
  }

  static Outgoing of(long number, ShardReply reply, PinnedRows rows, BufferPool buffers) {
    if (reply instanceof ShardReply.Delivered) {
      int values = rows.values();
      return new Outgoing(
          buffers,
          FrameCodec.encodeRowsHead(
              values, LinkFrame.behindHead(number, (long) Float.BYTES * values, buffers::take)),
          rows);
    }
    rows.release();
    return new Outgoing(
        buffers, FrameCodec.encode(reply, LinkFrame.behindHead(number, 0, buffers::take)), rows);
  }

  /// Bytes on the wire.
  long bytes() {
    return head.limit() + (long) Float.BYTES * rows.values();
  }

  /// Sends all of it, for the first time or again.
  ///
  /// @param received commands taken so far
  void send(Wire wire, long received) throws IOException {
    LinkFrame.setReceived(head, received);
    List<ByteBuffer> parts = new ArrayList<>();
    parts.add(head.duplicate());
    parts.addAll(rows.parts());
    wire.send(parts.toArray(ByteBuffer[]::new));
  }

  void release() {
    rows.release();
    buffers.giveBack(head);
  }
}
