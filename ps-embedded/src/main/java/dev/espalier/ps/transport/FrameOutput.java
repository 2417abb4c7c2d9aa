package dev.espalier.ps.transport;

/// Takes the bytes of frames, one frame after another; little-endian.
public interface FrameOutput {
  /// Row numbers have no name.
  int NAMELESS = -1;

  /// Row numbers get a name when they are read.
  int LEARNED = -2;

  /// The largest frame that can be put.
  default int maxBytes() {
    return Integer.MAX_VALUE;
  }

  /// Begins a frame.
  ///
  /// @param bytes how many will be put, from the frame's first on
  void begin(int bytes);

  /// Puts a byte.
  void putByte(byte value);

  /// Puts two bytes.
  void putShort(short value);

  /// Puts four bytes.
  void putInt(int value);

  /// Puts eight bytes.
  void putLong(long value);

  /// Puts bytes.
  void put(byte[] values);

  /// Puts numbers of eight bytes; the array may be looked at until the frame has left.
  void put(long[] values);

  /// Puts numbers of four bytes; the array may be looked at until the frame has left.
  default void put(float[] values) {
    put(values, 0, values.length);
  }

  /// Puts `count` numbers of four bytes from index `from` on; the array may be looked at until the
  /// frame has left.
  void put(float[] values, int from, int count);

  /// The name under which the reader of this frame knows some row numbers; to be asked once for
  /// each list, in the order in which they are put.
  ///
  /// @return [#NAMELESS] when they are to be put as they are, [#LEARNED] when the reader is to
  ///   learn them as well, otherwise the name to be put in their place
  default int nameOf(long[] keys) {
    return NAMELESS;
  }
}
