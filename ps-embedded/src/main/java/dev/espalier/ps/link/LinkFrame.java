package dev.espalier.ps.link;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.IntFunction;

/*
 *   0         4                 12                20
 *   +---------+-----------------+-----------------+-------------------------
 *   | bytes i | number l        | received l      | frame of FrameCodec ...
 *   +---------+-----------------+-----------------+-------------------------
 *
 * Little-endian. `bytes` counts the frame alone. A command has the number of commands sent before it
 * and itself, a reply the number of the command it answers. `received` is how many frames of this
 * session the sender has taken whole, so that the receiver may forget them.
 */

/// What goes before every frame on a wire.
final class LinkFrame {
  static final int HEAD_BYTES = 20;
  private static final int RECEIVED_OFFSET = 12;

  /// @param bytes of the frame that follows
  /// @param number of the command, or of the command answered
  /// @param received frames that the sender had taken when it sent this one
  record Head(int bytes, long number, long received) {}

  private LinkFrame() {}

  /// Buffers for [FrameCodec] with a head in front.
  ///
  /// @param moreBytes of the frame that are sent from elsewhere
  static IntFunction<ByteBuffer> behindHead(
      long number, long moreBytes, IntFunction<ByteBuffer> buffers) {
    return bytes ->
        buffers
            .apply(HEAD_BYTES + bytes)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(Math.toIntExact(bytes + moreBytes))
            .putLong(number)
            .putLong(0);
  }

  /// Says in a head how much was received.
  static void setReceived(ByteBuffer frame, long received) {
    frame.putLong(RECEIVED_OFFSET, received);
  }
}
