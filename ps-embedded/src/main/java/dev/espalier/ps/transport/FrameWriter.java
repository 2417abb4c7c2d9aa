package dev.espalier.ps.transport;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.table.Factors;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowValues;
import dev.espalier.ps.table.ValueCode;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Writes the parts of one frame, whose size is known beforehand.
final class FrameWriter {
  /// A name for fewer rows would spare nothing to speak of.
  private static final int MIN_NAMED = 16;

  private final FrameOutput out;

  /// Begins a frame.
  FrameWriter(byte type, long bodyBytes, FrameOutput out) {
    long bytes = FrameLayout.HEADER_BYTES + bodyBytes;
    if (bytes > out.maxBytes()) {
      throw new PsException(
          PsFault.BAD_REQUEST,
          "frame must have at most %d bytes but would have %d".formatted(out.maxBytes(), bytes));
    }
    this.out = out;
    out.begin((int) bytes);
    out.putShort(FrameLayout.MAGIC);
    out.putByte(FrameLayout.VERSION);
    out.putByte(type);
    out.putInt((int) bytes);
  }

  /// The name of selected rows; asked before a frame begins, for its size depends on it.
  static int nameOf(RowSelection rows, FrameOutput out) {
    return rows instanceof RowSelection.Keys keys && keys.count() >= MIN_NAMED
        ? out.nameOf(keys.keys())
        : FrameOutput.NAMELESS;
  }

  /// The names of the rows of batches.
  static int[] namesOf(List<RowBatch> batches, FrameOutput out) {
    int[] names = new int[batches.size()];
    for (int i = 0; i < names.length; i++) {
      names[i] = nameOf(batches.get(i).rows(), out);
    }
    return names;
  }

  static long bytesOf(RowSelection rows, int name) {
    return switch (rows) {
      case RowSelection.Range _ -> 13;
      case RowSelection.Keys keys -> name >= 0 ? 9 : 5 + 8L * keys.count();
    };
  }

  static long bytesOf(List<RowBatch> batches, int[] names) {
    long bytes = 4;
    for (int i = 0; i < names.length; i++) {
      RowBatch batch = batches.get(i);
      bytes += 5 + bytesOf(batch.rows(), names[i]) + codedBytes(batch);
    }
    return bytes;
  }

  private static long codedBytes(RowBatch batch) {
    return switch (batch.content()) {
      case RowValues.Own(float[] values, ValueCode code) ->
          4 + code.bytes(values.length, batch.columns());
      case RowValues.Slice slice -> 4 + 4L * slice.count();
      case RowValues.Products(Factors factors) ->
          8 + 4L * factors.left().length + 4L * factors.right().length;
      case RowValues.InShard _ -> throw inShard();
    };
  }

  private static IllegalArgumentException inShard() {
    return new IllegalArgumentException("values in memory of a shard cannot be sent");
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

  FrameWriter putRows(RowSelection rows, int name) {
    switch (rows) {
      case RowSelection.Range range -> {
        out.putByte(FrameLayout.RANGE);
        out.putInt(range.count());
        out.putLong(range.first());
      }
      case RowSelection.Keys keys when name >= 0 -> {
        out.putByte(FrameLayout.NAMED_KEYS);
        out.putInt(keys.count());
        out.putInt(name);
      }
      case RowSelection.Keys keys -> {
        out.putByte(name == FrameOutput.LEARNED ? FrameLayout.LEARNED_KEYS : FrameLayout.KEYS);
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

  FrameWriter putBatches(List<RowBatch> batches, int[] names) {
    out.putInt(batches.size());
    for (int i = 0; i < names.length; i++) {
      RowBatch batch = batches.get(i);
      putInt(batch.table()).putRows(batch.rows(), names[i]).putCoded(batch);
    }
    return this;
  }

  private void putCoded(RowBatch batch) {
    switch (batch.content()) {
      case RowValues.Own(float[] values, ValueCode code) -> {
        putByte((byte) code.ordinal());
        if (code == ValueCode.FLOAT32) {
          putValues(values);
        } else {
          putInt(values.length);
          out.put(code.encode(values, batch.columns()));
        }
      }
      case RowValues.Slice(float[] array, int from, int count, _) -> {
        putByte((byte) ValueCode.FLOAT32.ordinal()).putInt(count);
        out.put(array, from, count);
      }
      case RowValues.Products(Factors factors) -> {
        putByte(FrameLayout.FACTORS).putInt(factors.samples()).putInt(factors.columns());
        out.put(factors.left());
        out.put(factors.right());
      }
      case RowValues.InShard _ -> throw inShard();
    }
  }
}
