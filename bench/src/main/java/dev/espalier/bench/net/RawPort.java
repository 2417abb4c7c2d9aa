package dev.espalier.bench.net;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/// Bytes over a loopback socket and nothing else: the limit for everything that uses one.
///
/// A request is a number of 8 bytes: `n > 0` announces `n` bytes, which are answered by one byte;
/// `n < 0` asks for `-n` bytes. Both ends keep their bytes off heap and move up to a MiB a call.
final class RawPort implements AutoCloseable {
  private static final int STEP_BYTES = 1 << 20;

  private final ServerSocketChannel listener = ServerSocketChannel.open();
  private final ByteBuffer memory;

  /// @param mostBytes of a message
  RawPort(int mostBytes) throws IOException {
    memory = ByteBuffer.allocateDirect(mostBytes);
    listener.bind(new InetSocketAddress("127.0.0.1", 0));
    Thread.ofPlatform().daemon().start(this::serve);
  }

  int port() {
    return listener.socket().getLocalPort();
  }

  private void serve() {
    try (SocketChannel channel = listener.accept()) {
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      ByteBuffer head = ByteBuffer.allocateDirect(8);
      while (true) {
        read(channel, head, 0, 8);
        long bytes = head.getLong(0);
        if (bytes > 0) {
          read(channel, memory, 0, (int) bytes);
          write(channel, head, 0, 1);
        } else {
          write(channel, memory, 0, (int) -bytes);
        }
      }
    } catch (IOException _) {
      // The client is done.
    }
  }

  private static void read(SocketChannel channel, ByteBuffer buffer, int from, int bytes)
      throws IOException {
    for (int done = 0; done < bytes; ) {
      buffer.limit(from + done + Math.min(STEP_BYTES, bytes - done)).position(from + done);
      int count = channel.read(buffer);
      if (count < 0) {
        throw new EOFException();
      }
      done += count;
    }
  }

  private static void write(SocketChannel channel, ByteBuffer buffer, int from, int bytes)
      throws IOException {
    for (int done = 0; done < bytes; ) {
      buffer.limit(from + done + Math.min(STEP_BYTES, bytes - done)).position(from + done);
      done += channel.write(buffer);
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }

  /// The other end.
  static final class Client implements AutoCloseable {
    private final SocketChannel channel;
    private final ByteBuffer head = ByteBuffer.allocateDirect(8);
    private final ByteBuffer memory;

    Client(int port, int mostBytes) throws IOException {
      memory = ByteBuffer.allocateDirect(mostBytes + 8);
      channel = SocketChannel.open(new InetSocketAddress("127.0.0.1", port));
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    }

    /// Sends messages, of which up to `window` are unanswered.
    void push(int bytes, int count, int window) throws IOException {
      memory.clear().putLong(0, bytes);
      for (int i = 0; i < count + window - 1; i++) {
        if (i < count) {
          write(channel, memory, 0, bytes + 8);
        }
        if (i >= window - 1) {
          read(channel, head, 0, 1);
        }
      }
    }

    /// Asks for messages, up to `window` ahead.
    void pull(int bytes, int count, int window) throws IOException {
      head.clear().putLong(0, -bytes);
      for (int i = 0; i < count + window - 1; i++) {
        if (i < count) {
          write(channel, head, 0, 8);
        }
        if (i >= window - 1) {
          read(channel, memory, 0, bytes);
        }
      }
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
