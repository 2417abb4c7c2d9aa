package dev.espalier.ps.link;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/// Passes bytes on and cuts each connection, both ways, after a random number of them, or when
/// told.
final class CuttingProxy implements AutoCloseable {
  private static final int FIRST_BYTES = 200;

  private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final int target;
  private final Random random;
  private final int mostBytes;
  private final AtomicInteger cuts = new AtomicInteger();
  private volatile boolean isCutting = true;
  private volatile Socket newest = new Socket();

  /// @param target port to pass on to
  /// @param mostBytes of one direction before a cut
  CuttingProxy(int target, long seed, int mostBytes) throws IOException {
    this.target = target;
    this.random = new Random(seed);
    this.mostBytes = mostBytes;
    Thread.ofPlatform().daemon().start(this::accept);
  }

  int port() {
    return listener.getLocalPort();
  }

  int cuts() {
    return cuts.get();
  }

  /// Cuts the newest connection now.
  void cut() {
    Socket socket = newest;
    if (isCutting && socket.isConnected() && !socket.isClosed()) {
      cuts.incrementAndGet();
      try {
        socket.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /// Cuts no more, so that the end of a test is not disturbed.
  void calm() {
    isCutting = false;
  }

  private void accept() {
    // The very first connection gets through its handshake: nobody resumes what has not begun.
    int least = FIRST_BYTES;
    while (!listener.isClosed()) {
      try {
        Socket near = listener.accept();
        newest = near;
        Socket far = new Socket(InetAddress.getLoopbackAddress(), target);
        near.setTcpNoDelay(true);
        far.setTcpNoDelay(true);
        int there = least + random.nextInt(mostBytes);
        int back = least + random.nextInt(mostBytes);
        least = 0;
        Thread.ofPlatform().daemon().start(() -> pump(near, far, there));
        Thread.ofPlatform().daemon().start(() -> pump(far, near, back));
      } catch (IOException _) {
        // Closed, or the shard is gone: the next one sees.
      }
    }
  }

  private void pump(Socket from, Socket to, int bytesUntilCut) {
    byte[] bytes = new byte[4096];
    long left = bytesUntilCut;
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      while (true) {
        int most = isCutting ? (int) Math.min(bytes.length, left) : bytes.length;
        int count = most == 0 ? 0 : in.read(bytes, 0, most);
        if (count < 0) {
          return;
        }
        out.write(bytes, 0, count);
        left -= count;
        if (left <= 0 && isCutting) {
          cuts.incrementAndGet();
          return;
        }
      }
    } catch (IOException _) {
      // The other direction was cut.
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
