package dev.espalier.ps.transport;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Writes the parts of one frame, whose size is known beforehand.
final class FrameWriter {
  private final FrameOutput out;

  /// Begins a frame.
  FrameWriter(byte type, long bodyBytes, FrameOutput out) {
    long bytes = FrameLayout.HEADER_BYTES + bodyBytes;
    if (bytes > Integer.MAX_VALUE) {
      throw new PsException(
          PsFault.BAD_REQUEST,
          "frame must have at most %d bytes but would have %d".formatted(Integer.MAX_VALUE, bytes));
    }
    this.out = out;
    out.begin((int) bytes);
    out.putShort(FrameLayout.MAGIC);
    out.putByte(FrameLayout.VERSION);
    out.putByte(type);
    out.putInt((int) bytes);
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
    out.putByte(value);
    return this;
  }

  FrameWriter putInt(int value) {
    out.putInt(value);
    return this;
  }

  FrameWriter putLong(long value) {
    out.putLong(value);
    return this;
  }

  FrameWriter putDouble(double value) {
    out.putLong(Double.doubleToRawLongBits(value));
    return this;
  }

  FrameWriter putText(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.putInt(bytes.length);
    out.put(bytes);
    return this;
  }

  FrameWriter putRows(RowSelection rows) {
    switch (rows) {
      case RowSelection.Range range -> {
        out.putByte(FrameLayout.RANGE);
        out.putInt(range.count());
        out.putLong(range.first());
      }
      case RowSelection.Keys keys -> {
        out.putByte(FrameLayout.KEYS);
        out.putInt(keys.count());
        out.put(keys.keys());
      }
    }
    return this;
  }

  FrameWriter putValues(float[] values) {
    out.putInt(values.length);
    out.put(values);
    return this;
  }

  FrameWriter putBatches(List<RowBatch> batches) {
    out.putInt(batches.size());
    for (RowBatch batch : batches) {
      putInt(batch.table()).putRows(batch.rows()).putValues(batch.values());
    }
    return this;
  }
}
