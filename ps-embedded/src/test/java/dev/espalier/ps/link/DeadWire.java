package dev.espalier.ps.link;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/// A connection that was cut: takes everything, passes nothing on, and ends when it is read.
final class DeadWire implements Wire {
  @Override
  public ByteBuffer receive() throws IOException {
    throw new IOException("cut");
  }

  @Override
  public void send(List<Piece> pieces) {}

  @Override
  public void close() {}
}
