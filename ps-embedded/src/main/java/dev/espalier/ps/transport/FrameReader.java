package dev.espalier.ps.transport;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.Factors;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.table.ValueCode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Reads one frame, and allocates nothing that the frame is too short to fill, but for values in a
/// code, 32 times its bytes at most, and the product of factors, [Factors#MAX_VALUES] values at
/// most.
final class FrameReader {
  private static final int MIN_BATCH_BYTES = 21;
  private static final ValueCode[] CODES = ValueCode.values();

  private final FrameInput frame;
  private final byte type;

  FrameReader(FrameInput frame) {
    this.frame = frame;
    int bytes = frame.remaining();
    require(bytes >= FrameLayout.HEADER_BYTES, "at least 8 bytes", bytes);
    short magic = frame.getShort();
    require(magic == FrameLayout.MAGIC, "magic 0x5045", magic);
    byte version = frame.getByte();
    require(version == FrameLayout.VERSION, "version " + FrameLayout.VERSION, version);
    type = frame.getByte();
    int length = frame.getInt();
    require(length == bytes, "length " + bytes, length);
  }

  byte type() {
    return type;
  }

  byte getByte() {
    return frame.getByte();
  }

  int getInt() {
    return frame.getInt();
  }

  long getLong() {
    return frame.getLong();
  }

  double getDouble() {
    return Double.longBitsToDouble(frame.getLong());
  }

  String getText() {
    byte[] bytes = new byte[getCount(1)];
    frame.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  RowSelection getRows() {
    byte kind = frame.getByte();
    return switch (kind) {
      case FrameLayout.RANGE -> {
        int count = frame.getInt();
        yield new RowSelection.Range(frame.getLong(), count);
      }
      case FrameLayout.KEYS, FrameLayout.LEARNED_KEYS -> {
        long[] keys = new long[getCount(Long.BYTES)];
        frame.get(keys);
        if (kind == FrameLayout.LEARNED_KEYS) {
          frame.learn(keys);
        }
        yield new RowSelection.Keys(keys);
      }
      case FrameLayout.NAMED_KEYS -> {
        int count = frame.getInt();
        long[] keys = frame.named(frame.getInt());
        require(keys.length == count, count + " row numbers of that name", keys.length);
        yield new RowSelection.Keys(keys);
      }
      default ->
          throw new PsException(PsFault.BAD_FRAME, "kind of rows must be in [0, 3] but is " + kind);
    };
  }

  float[] getValues() {
    float[] values = frame.floats(getCount(Float.BYTES));
    frame.get(values, 0, values.length);
    return values;
  }

  ShardReply.Placed getPlaced() {
    long firstRow = getLong();
    int rowsPerPage = getInt();
    int columns = getInt();
    int[] pages = new int[getCount(Integer.BYTES + Long.BYTES)];
    for (int i = 0; i < pages.length; i++) {
      pages[i] = getInt();
    }
    long[] offsets = new long[pages.length];
    frame.get(offsets);
    return new ShardReply.Placed(firstRow, rowsPerPage, columns, pages, offsets);
  }

  /// Puts values where the reader wants them.
  ///
  /// @return number of rows
  int getRows(RowTarget target) {
    int count = getCount(Float.BYTES);
    int rows = count / target.columns();
    if (target.isContiguous()) {
      frame.get(target.values(), target.indexOf(0), count);
    } else {
      for (int i = 0; i < rows; i++) {
        frame.get(target.values(), target.indexOf(i), target.columns());
      }
    }
    return rows;
  }

  List<RowBatch> getBatches() {
    int count = getCount(MIN_BATCH_BYTES - Long.BYTES);
    List<RowBatch> batches = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      int table = getInt();
      RowSelection rows = getRows();
      batches.add(new RowBatch(table, rows, getCoded(rows.count())));
    }
    return List.copyOf(batches);
  }

  private float[] getCoded(int rows) {
    byte code = frame.getByte();
    if (code == ValueCode.FLOAT32.ordinal()) {
      return getValues();
    }
    if (code == FrameLayout.FACTORS) {
      return getProduct(rows);
    }
    if (code < 0 || code >= CODES.length) {
      throw new PsException(PsFault.BAD_FRAME, "code of values must be in [0, 4] but is " + code);
    }
    int count = frame.getInt();
    int columns = rows == 0 ? 1 : count / rows;
    require(count > 0 && columns > 0, "at least a value for each row", count);
    long bytes = CODES[code].bytes(count, columns);
    require(bytes <= frame.remaining(), "%d bytes more".formatted(bytes), frame.remaining());
    byte[] coded = new byte[(int) bytes];
    frame.get(coded);
    float[] values = new float[count];
    CODES[code].decode(coded, values, columns);
    return values;
  }

  private float[] getProduct(int rows) {
    int samples = frame.getInt();
    int columns = frame.getInt();
    require(samples > 0 && columns > 0, "factors of some samples and columns", samples);
    long product = Math.multiplyFull(rows, columns);
    require(product <= Factors.MAX_VALUES, "a product of 2^29 values at most", product);
    int most = frame.remaining() / Float.BYTES / samples;
    long floats = (long) rows + columns;
    require(floats <= most, "%d floats for each sample".formatted(floats), most);
    float[] left = new float[samples * rows];
    float[] right = new float[samples * columns];
    frame.get(left, 0, left.length);
    frame.get(right, 0, right.length);
    return new Factors(samples, rows, columns, left, right).product();
  }

  void expectEnd() {
    require(frame.remaining() == 0, "no more bytes", frame.remaining());
  }

  private int getCount(int elementBytes) {
    int count = frame.getInt();
    int most = frame.remaining() / elementBytes;
    require(count >= 0 && count <= most, "a count in [0, %d]".formatted(most), count);
    return count;
  }

  private static void require(boolean holds, String expected, long found) {
    if (!holds) {
      throw new PsException(
          PsFault.BAD_FRAME, "frame must have %s but has %d".formatted(expected, found));
    }
  }
}
