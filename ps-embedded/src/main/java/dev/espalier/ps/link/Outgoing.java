package dev.espalier.ps.link;

import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.transport.FrameCodec;
import java.io.IOException;

/// A reply that is kept until the other side says that it has it.
///
/// @param frame its bytes
/// @param rows the memory of the rows in it
record Outgoing(LinkFrame frame, ServedRows rows) {

  /// @param number of the command answered
  /// @param rows what the command's collector took
  static Outgoing of(long number, ShardReply reply, ServedRows rows, BufferPool buffers) {
    LinkFrame frame = new LinkFrame(number, buffers);
    try {
      if (reply instanceof ShardReply.Delivered) {
        rows.encode(frame);
      } else {
        rows.release();
        FrameCodec.encode(reply, frame);
      }
      return new Outgoing(frame.finish(), rows);
    } catch (RuntimeException | OutOfMemoryError e) {
      // Too large, for instance; who asked must hear of it.
      rows.release();
      frame.release();
      LinkFrame failed = new LinkFrame(number, buffers);
      FrameCodec.encode(ShardReply.Failed.of(e), failed);
      return new Outgoing(failed.finish(), rows);
    }
  }

  /// Bytes on the wire.
  long bytes() {
    return frame.bytes();
  }

  /// Sends all of it, for the first time or again.
  ///
  /// @param received commands taken so far
  void send(Wire wire, long received) throws IOException {
    frame.send(wire, received);
  }

  void release() {
    frame.release();
    rows.release();
  }
}
