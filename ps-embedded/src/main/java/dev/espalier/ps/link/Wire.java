package dev.espalier.ps.link;

import dev.espalier.ps.shard.Arrivals;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/// A two-way stream of bytes to one process; one thread at a time reads it, and one writes it.
interface Wire extends AutoCloseable {

  /// The frames of a wire.
  interface Frames {
    /// Whether bytes of the next one have been received.
    boolean isThere();

    /// Reads one and does what it is for.
    void take() throws IOException;
  }

  /// Takes frames, one after the other, until the wire breaks.
  ///
  /// @param arrivals of this process: where frames can be taken by a thread that waits for them
  default void readAll(Frames frames, Arrivals arrivals) throws IOException {
    while (true) {
      frames.take();
    }
  }

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

  /// Whether so many bytes could be sent now without waiting for the other side; may be false
  /// though they could. To be asked by the one who sends.
  default boolean takesAtOnce(long bytes) {
    return false;
  }

  /// Whether who waits in [#send] hears that the other process has ended though nobody reads.
  default boolean sendHearsTheEnd() {
    return true;
  }

  /// Whether the other process reads this one's pages where they lie.
  default boolean sharesPages() {
    return false;
  }

  /// Ends both directions; whoever waits in one is woken with an [IOException].
  @Override
  void close();
}
