package dev.espalier.ps.table;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// One bit for each value and two floats for each group, the means of its values that are >= 0 and
/// of the others.
///
/// A group is a column of up to 1,024 rows, or a row where there are fewer rows than columns. The
/// values of a column are of one kind and size: a bias that lies in a row beside factors a tenth of
/// its size would, in one group with them, be all that their two means say.
///
/// Source: Seide, Fu, Droppo, Li, Yu, "1-Bit Stochastic Gradient Descent and its Application to
/// Data-Parallel Distributed Training of Speech DNNs" (Interspeech 2014), section 3.2: threshold 0,
/// one pair of reconstruction values per column.
///
/// @param rows number of rows
/// @param columns floats per row, >= 1
record OneBitCode(int rows, int columns) {
  private static final int MAX_ROWS = 1024;
  private static final int LEVEL_BYTES = 2 * Float.BYTES;

  static OneBitCode of(int values, int columns) {
    return new OneBitCode(values / columns, columns);
  }

  private boolean isByColumn() {
    return rows >= columns;
  }

  private int groups() {
    return isByColumn() ? Math.ceilDiv(rows, MAX_ROWS) * columns : rows;
  }

  /// Index of a group's first value.
  private int first(int group) {
    return isByColumn() ? group / columns * MAX_ROWS * columns + group % columns : group * columns;
  }

  /// From one value of a group to the next.
  private int stride() {
    return isByColumn() ? columns : 1;
  }

  private int size(int group) {
    return isByColumn() ? Math.min(MAX_ROWS, rows - group / columns * MAX_ROWS) : columns;
  }

  void project(float[] values) {
    for (int group = 0; group < groups(); group++) {
      project(values, first(group), size(group));
    }
  }

  private void project(float[] values, int first, int size) {
    double above = 0;
    double below = 0;
    int aboveCount = 0;
    int end = first + size * stride();
    for (int i = first; i < end; i += stride()) {
      if (values[i] >= 0) {
        above += values[i];
        aboveCount++;
      } else {
        below += values[i];
      }
    }
    float high = aboveCount == 0 ? 0 : (float) (above / aboveCount);
    float low = aboveCount == size ? high : (float) (below / (size - aboveCount));
    for (int i = first; i < end; i += stride()) {
      values[i] = values[i] >= 0 ? high : low;
    }
  }

  byte[] encode(float[] values) {
    ByteBuffer code = ByteBuffer.allocate((int) bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int group = 0; group < groups(); group++) {
      encode(values, first(group), size(group), code);
    }
    return code.array();
  }

  private void encode(float[] values, int first, int size, ByteBuffer code) {
    float low = Float.NaN;
    float high = Float.NaN;
    for (int k = 0; k < size; k++) {
      float value = values[first + k * stride()];
      if (value >= 0) {
        high = value;
      } else {
        low = value;
      }
    }
    code.putFloat(low).putFloat(high);
    int bits = code.position();
    for (int k = 0; k < size; k++) {
      if (values[first + k * stride()] >= 0) {
        code.array()[bits + (k >> 3)] |= (byte) (1 << (k & 7));
      }
    }
    code.position(bits + (size + 7) / 8);
  }

  void decode(byte[] code, float[] values) {
    ByteBuffer in = ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN);
    for (int group = 0; group < groups(); group++) {
      int first = first(group);
      int size = size(group);
      float low = in.getFloat();
      float high = in.getFloat();
      int bits = in.position();
      for (int k = 0; k < size; k++) {
        boolean isHigh = (code[bits + (k >> 3)] >> (k & 7) & 1) != 0;
        values[first + k * stride()] = isHigh ? high : low;
      }
      in.position(bits + (size + 7) / 8);
    }
  }

  long bytes() {
    long bytes = 0;
    for (int group = 0; group < groups(); group++) {
      bytes += LEVEL_BYTES + (size(group) + 7) / 8;
    }
    return bytes;
  }
}
