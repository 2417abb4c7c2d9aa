package dev.espalier.ps.link;

import dev.espalier.ps.shard.Arrivals;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A [Wire] through shared memory to a process of the same host.
///
/// A socket goes with it: a byte on it wakes a reader that sleeps, and its end says that the other
/// process has ended.
final class MemoryWire implements Wire {
  private static final long PAUSE_NANOS = 20_000;
  private static final Duration STALL = Duration.ofSeconds(5);

  private final SocketChannel channel;
  private final MemoryRing in;
  private final MemoryRing out;
  private final ByteBuffer heard = ByteBuffer.allocateDirect(64);
  private final ByteBuffer bell = ByteBuffer.allocateDirect(1);
  private volatile @Nullable ReadTurn turn;

  /// @param channel a blocking socket to the same process
  MemoryWire(SocketChannel channel, MemoryRing in, MemoryRing out) {
    this.channel = channel;
    this.in = in;
    this.out = out;
  }

  @Override
  public void readAll(Frames frames, Arrivals arrivals) throws IOException {
    var reading = new ReadTurn(channel, in, frames);
    turn = reading;
    arrivals.add(reading);
    try {
      while (true) {
        reading.awaitFrame();
        frames.take();
      }
    } finally {
      arrivals.remove(reading);
    }
  }

  @Override
  public ByteBuffer receive() throws IOException {
    ByteBuffer bytes = in.read();
    while (!bytes.hasRemaining()) {
      if (!Look.sees(() -> !in.isEmpty())) {
        ReadTurn reading = turn;
        if (reading == null || reading.isOwned()) {
          sleep();
        } else {
          awaitRestOfFrame();
        }
      }
      bytes = in.read();
    }
    return bytes;
  }

  /// A visitor cannot leave in the middle of a frame, so it gives the wire up where the rest does
  /// not come; there will be another one.
  private void awaitRestOfFrame() throws IOException {
    long start = System.nanoTime();
    while (true) {
      boolean isOpen = channel.isOpen();
      if (!in.isEmpty()) {
        return;
      }
      if (!isOpen) {
        throw new EOFException("the connection is closed");
      }
      if (System.nanoTime() - start > STALL.toNanos()) {
        throw new IOException("the rest of a message did not come within " + STALL);
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private void sleep() throws IOException {
    in.sleep();
    if (!in.isEmpty()) {
      in.wake();
      return;
    }
    if (channel.read(heard.clear()) < 0 && in.isEmpty()) {
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
    requireOpen();
    if (!Look.sees(() -> out.room() > 0)) {
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private void requireOpen() throws EOFException {
    if (!channel.isOpen()) {
      throw new EOFException("the connection is closed");
    }
  }

  @Override
  public boolean takesAtOnce(long bytes) {
    return bytes <= out.room();
  }

  /// Only a read of the socket does.
  @Override
  public boolean sendHearsTheEnd() {
    return false;
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
