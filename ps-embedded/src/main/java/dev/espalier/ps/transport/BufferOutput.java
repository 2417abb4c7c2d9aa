package dev.espalier.ps.transport;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// One frame in a buffer on the heap.
final class BufferOutput implements FrameOutput {
  private final int maxBytes;
  private ByteBuffer frame = ByteBuffer.allocate(0);

  BufferOutput(int maxBytes) {
    this.maxBytes = maxBytes;
  }

  @Override
  public int maxBytes() {
    return maxBytes;
  }

  @Override
  public void begin(int bytes) {
    frame = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void putByte(byte value) {
    frame.put(value);
  }

  @Override
  public void putShort(short value) {
    frame.putShort(value);
  }

  @Override
  public void putInt(int value) {
    frame.putInt(value);
  }

  @Override
  public void putLong(long value) {
    frame.putLong(value);
  }

  @Override
  public void put(byte[] values) {
    frame.put(values);
  }

  @Override
  public void put(long[] values) {
    frame.asLongBuffer().put(values);
    frame.position(frame.position() + Long.BYTES * values.length);
  }

  @Override
  public void put(float[] values, int from, int count) {
    frame.asFloatBuffer().put(values, from, count);
    frame.position(frame.position() + Float.BYTES * count);
  }

  /// The frame, ready to be read.
  ByteBuffer finish() {
    if (frame.hasRemaining()) {
      throw new IllegalStateException(
          "frame must be full but has %d bytes left".formatted(frame.remaining()));
    }
    return frame.flip();
  }
}
