package dev.espalier.ps.link;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.nio.channels.SocketChannel;

/// What the bytes of a link travel through.
public enum Medium {
  /// Shared memory where both ends are on one host, otherwise a socket.
  ANY,
  /// A socket, also on one host.
  SOCKET;

  /// Whether a new connection should try shared memory.
  boolean offersMemory(SocketChannel channel) throws IOException {
    return this == ANY
        && channel.getRemoteAddress() instanceof InetSocketAddress remote
        && isThisHost(remote.getAddress());
  }

  private static boolean isThisHost(InetAddress address) throws IOException {
    return address.isLoopbackAddress() || NetworkInterface.getByInetAddress(address) != null;
  }
}
