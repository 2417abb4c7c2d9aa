package dev.espalier.ps.link;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;

/// A [Wire] over a blocking socket.
final class SocketWire implements Wire {
  /// Small enough to stay in a core's cache between the kernel's copy and ours.
  private static final int INBOUND_BYTES = 256 << 10;

  /// A system call takes at most so many buffers.
  private static final int MAX_PARTS = 64;

  private final SocketChannel channel;
  private final ByteBuffer inbound =
      ByteBuffer.allocateDirect(INBOUND_BYTES).order(ByteOrder.LITTLE_ENDIAN);

  SocketWire(SocketChannel channel) {
    this.channel = channel;
  }

  @Override
  public ByteBuffer receive() throws IOException {
    inbound.clear();
    if (channel.read(inbound) < 0) {
      throw new EOFException("the other side closed the connection");
    }
    return inbound.flip();
  }

  @Override
  public void send(ByteBuffer... parts) throws IOException {
    int first = 0;
    while (first < parts.length) {
      channel.write(parts, first, Math.min(MAX_PARTS, parts.length - first));
      while (first < parts.length && !parts[first].hasRemaining()) {
        first++;
      }
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
