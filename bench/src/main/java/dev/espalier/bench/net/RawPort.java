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
/// `n < 0` asks for `-n` bytes. Both ends keep their bytes off heap and move up to a MiB a call; or
/// both keep them in an array, as who computes with them does, which takes a copy at either end.
final class RawPort implements AutoCloseable {
  private static final int STEP_BYTES = 1 << 20;

  /// Small enough for a core's cache.
  private static final int COPIED_BYTES = 256 << 10;

  /// Added to the number of bytes of a request that is for an array.
  private static final long FOR_ARRAY = 1L << 40;

  private final ServerSocketChannel listener = ServerSocketChannel.open();
  private final Memory memory;

  /// What one end has room for.
  private static final class Memory {
    private final ByteBuffer direct;
    private final byte[] array;
    private final ByteBuffer step = ByteBuffer.allocateDirect(COPIED_BYTES);

    Memory(int bytes, int arrayBytes) {
      direct = ByteBuffer.allocateDirect(bytes);
      array = new byte[arrayBytes];
    }

    void read(SocketChannel channel, int bytes) throws IOException {
      RawPort.read(channel, direct, 0, bytes);
    }

    void readIntoArray(SocketChannel channel, int from, int bytes) throws IOException {
      for (int done = 0; done < bytes; ) {
        step.clear().limit(Math.min(COPIED_BYTES, bytes - done));
        if (channel.read(step) < 0) {
          throw new EOFException();
        }
        int count = step.flip().remaining();
        step.get(array, from + done, count);
        done += count;
      }
    }

    void write(SocketChannel channel, int bytes) throws IOException {
      RawPort.write(channel, direct, 0, bytes);
    }

    void writeFromArray(SocketChannel channel, int bytes) throws IOException {
      for (int done = 0; done < bytes; done += COPIED_BYTES) {
        step.clear().put(array, done, Math.min(COPIED_BYTES, bytes - done)).flip();
        while (step.hasRemaining()) {
          channel.write(step);
        }
      }
    }
  }

  /// @param mostBytes of a message
  RawPort(int mostBytes) throws IOException {
    memory = new Memory(mostBytes, mostBytes);
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
        long request = head.getLong(0);
        long bytes = Math.abs(request);
        boolean isForArray = bytes >= FOR_ARRAY;
        int size = (int) (bytes % FOR_ARRAY);
        if (request > 0) {
          if (isForArray) {
            memory.readIntoArray(channel, 0, size);
          } else {
            memory.read(channel, size);
          }
          write(channel, head, 0, 1);
        } else if (isForArray) {
          memory.writeFromArray(channel, size);
        } else {
          memory.write(channel, size);
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
    private final Memory memory;

    /// @param mostBytes of a message
    /// @param mostArrayBytes of all messages on their way
    Client(int port, int mostBytes, int mostArrayBytes) throws IOException {
      memory = new Memory(mostBytes, mostArrayBytes);
      channel = SocketChannel.open(new InetSocketAddress("127.0.0.1", port));
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    }

    /// Sends messages, of which up to `window` are unanswered.
    void push(int bytes, int count, int window, boolean isFromArray) throws IOException {
      for (int i = 0; i < count + window - 1; i++) {
        if (i < count) {
          head.clear().putLong(0, isFromArray ? bytes + FOR_ARRAY : bytes);
          write(channel, head, 0, 8);
          if (isFromArray) {
            memory.writeFromArray(channel, bytes);
          } else {
            memory.write(channel, bytes);
          }
        }
        if (i >= window - 1) {
          read(channel, head, 0, 1);
        }
      }
    }

    /// Asks for messages, up to `window` ahead, each of which has a place of its own in an array.
    void pull(int bytes, int count, int window, boolean isToArray) throws IOException {
      head.clear().putLong(0, isToArray ? -bytes - FOR_ARRAY : -bytes);
      for (int i = 0; i < count + window - 1; i++) {
        if (i < count) {
          write(channel, head, 0, 8);
        }
        if (i >= window - 1) {
          if (isToArray) {
            memory.readIntoArray(channel, i % window * bytes, bytes);
          } else {
            memory.read(channel, bytes);
          }
        }
      }
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
