package dev.espalier.ps.link;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// A [Wire] through shared memory to a process of the same host.
///
/// A socket goes with it: a byte on it wakes a reader that sleeps, and its end says that the other
/// process has ended.
final class MemoryWire implements Wire {
  private static final long FULL_NANOS = 20_000;

  private final SocketChannel channel;
  private final MemoryRing in;
  private final MemoryRing out;
  private final ByteBuffer heard = ByteBuffer.allocateDirect(64);
  private final ByteBuffer bell = ByteBuffer.allocateDirect(1);

  /// @param channel a blocking socket to the same process
  MemoryWire(SocketChannel channel, MemoryRing in, MemoryRing out) {
    this.channel = channel;
    this.in = in;
    this.out = out;
  }

  @Override
  public ByteBuffer receive() throws IOException {
    ByteBuffer bytes = in.read();
    while (!bytes.hasRemaining()) {
      if (!Look.sees(() -> !in.isEmpty())) {
        sleep();
      }
      bytes = in.read();
    }
    return bytes;
  }

  private void sleep() throws IOException {
    in.sleep();
    if (!in.isEmpty()) {
      in.wake();
      return;
    }
    if (channel.read(heard.clear()) < 0) {
      throw new EOFException("the other process closed the connection");
    }
  }

  @Override
  public void send(List<Piece> pieces) throws IOException {
    for (Piece piece : pieces) {
      for (long done = 0; done < piece.bytes(); ) {
        int count = out.write(piece, done);
        done += count;
        if (count == 0) {
          awaitRoom();
        } else {
          ring();
        }
      }
    }
  }

  private void ring() throws IOException {
    if (out.takeSleep()) {
      bell.clear();
      channel.write(bell);
    }
  }

  private void awaitRoom() throws IOException {
    if (!channel.isOpen()) {
      throw new EOFException("the connection is closed");
    }
    if (!Look.sees(out::hasRoom)) {
      LockSupport.parkNanos(FULL_NANOS);
    }
  }

  @Override
  public boolean sharesPages() {
    return in.arePagesRead();
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
