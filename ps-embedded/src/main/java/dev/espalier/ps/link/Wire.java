package dev.espalier.ps.link;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/// A two-way stream of bytes to one process; one thread reads it, and one at a time writes it.
interface Wire extends AutoCloseable {

  /// Waits for bytes.
  ///
  /// @return at least one byte, little-endian and off heap; to be used up before the next call,
  ///   which may overwrite it
  /// @throws IOException when no more will come
  ByteBuffer receive() throws IOException;

  /// Sends all bytes of some pieces of memory, waiting as long as the other side is slow.
  ///
  /// @param pieces in order
  void send(List<Piece> pieces) throws IOException;

  /// Whether the other process reads this one's pages where they lie.
  default boolean sharesPages() {
    return false;
  }

  /// Ends both directions; whoever waits in one is woken with an [IOException].
  @Override
  void close();
}
