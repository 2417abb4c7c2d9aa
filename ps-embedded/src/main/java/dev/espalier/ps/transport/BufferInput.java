package dev.espalier.ps.transport;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// A frame that lies in a buffer, from its position to its limit; the buffer's own position stays.
final class BufferInput implements FrameInput {
  private final ByteBuffer bytes;

  BufferInput(ByteBuffer frame) {
    bytes = frame.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public int remaining() {
    return bytes.remaining();
  }

  @Override
  public byte getByte() {
    return bytes.get();
  }

  @Override
  public short getShort() {
    return bytes.getShort();
  }

  @Override
  public int getInt() {
    return bytes.getInt();
  }

  @Override
  public long getLong() {
    return bytes.getLong();
  }

  @Override
  public void get(byte[] target) {
    bytes.get(target);
  }

  @Override
  public void get(long[] target) {
    bytes.asLongBuffer().get(target);
    bytes.position(bytes.position() + Long.BYTES * target.length);
  }

  @Override
  public void get(float[] target, int offset, int count) {
    bytes.asFloatBuffer().get(target, offset, count);
    bytes.position(bytes.position() + Float.BYTES * count);
  }
}
