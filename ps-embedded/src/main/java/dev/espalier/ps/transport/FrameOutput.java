package dev.espalier.ps.transport;

/// Takes the bytes of frames, one frame after another; little-endian.
public interface FrameOutput {

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
  void put(float[] values);
}
