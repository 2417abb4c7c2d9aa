package dev.espalier.ps.transport;

/// The bytes of one frame, from its first to its last; little-endian.
///
/// Every call throws `java.nio.BufferUnderflowException` when the frame has fewer bytes than it
/// takes.
public interface FrameInput {

  /// Bytes of the frame that are left.
  int remaining();

  /// The next byte.
  byte getByte();

  /// The next two bytes.
  short getShort();

  /// The next four bytes.
  int getInt();

  /// The next eight bytes.
  long getLong();

  /// Fills an array with bytes.
  void get(byte[] target);

  /// Fills an array with numbers of eight bytes.
  void get(long[] target);

  /// Fills `count` elements of an array from index `offset` on with numbers of four bytes.
  void get(float[] target, int offset, int count);

  /// An array for values of the frame.
  ///
  /// @return with whatever content
  default float[] floats(int count) {
    return new float[count];
  }

  /// Hears of row numbers that were put as they are.
  default void learn(long[] keys) {}

  /// The row numbers that [FrameOutput#nameOf] named.
  ///
  /// @throws IllegalArgumentException when nothing has this name
  default long[] named(int name) {
    throw new IllegalArgumentException("no row numbers are cached as " + name);
  }
}
