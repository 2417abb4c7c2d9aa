package dev.espalier.ps.transport;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntFunction;

/// Writes one frame of a size known beforehand.
final class FrameWriter {
  private final ByteBuffer frame;

  FrameWriter(byte type, long bodyBytes, IntFunction<ByteBuffer> buffers) {
    this(type, bodyBytes, 0, buffers);
  }

  /// @param bodyBytes bytes that are written here
  /// @param moreBytes bytes of the frame that somebody else writes after these
  FrameWriter(byte type, long bodyBytes, long moreBytes, IntFunction<ByteBuffer> buffers) {
    long bytes = FrameLayout.HEADER_BYTES + bodyBytes + moreBytes;
    if (bytes > Integer.MAX_VALUE) {
      throw new PsException(
          PsFault.BAD_REQUEST,
          "frame must have at most %d bytes but would have %d".formatted(Integer.MAX_VALUE, bytes));
    }
    frame = buffers.apply((int) (bytes - moreBytes)).order(ByteOrder.LITTLE_ENDIAN);
    frame.putShort(FrameLayout.MAGIC).put(FrameLayout.VERSION).put(type).putInt((int) bytes);
  }

  static long bytesOf(RowSelection rows) {
    return switch (rows) {
      case RowSelection.Range _ -> 13;
      case RowSelection.Keys keys -> 5 + 8L * keys.count();
    };
  }

  static long bytesOf(List<RowBatch> batches) {
    long bytes = 4;
    for (RowBatch batch : batches) {
      bytes += 8 + bytesOf(batch.rows()) + 4L * batch.values().length;
    }
    return bytes;
  }

  static long bytesOf(String text) {
    return 4 + text.getBytes(StandardCharsets.UTF_8).length;
  }

  FrameWriter putByte(byte value) {
    frame.put(value);
    return this;
  }

  FrameWriter putInt(int value) {
    frame.putInt(value);
    return this;
  }

  FrameWriter putLong(long value) {
    frame.putLong(value);
    return this;
  }

  FrameWriter putDouble(double value) {
    frame.putDouble(value);
    return this;
  }

  FrameWriter putText(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    frame.putInt(bytes.length).put(bytes);
    return this;
  }

  FrameWriter putRows(RowSelection rows) {
    switch (rows) {
      case RowSelection.Range range ->
          frame.put(FrameLayout.RANGE).putInt(range.count()).putLong(range.first());
      case RowSelection.Keys keys -> {
        frame.put(FrameLayout.KEYS).putInt(keys.count());
        frame.asLongBuffer().put(keys.keys());
        frame.position(frame.position() + Long.BYTES * keys.count());
      }
    }
    return this;
  }

  FrameWriter putValues(float[] values) {
    frame.putInt(values.length);
    frame.asFloatBuffer().put(values);
    frame.position(frame.position() + Float.BYTES * values.length);
    return this;
  }

  FrameWriter putBatches(List<RowBatch> batches) {
    frame.putInt(batches.size());
    for (RowBatch batch : batches) {
      putInt(batch.table()).putRows(batch.rows()).putValues(batch.values());
    }
    return this;
  }

  ByteBuffer finish() {
    if (frame.hasRemaining()) {
      throw new IllegalStateException(
          "frame must be full but has %d bytes left".formatted(frame.remaining()));
    }
    return frame.flip();
  }
}
