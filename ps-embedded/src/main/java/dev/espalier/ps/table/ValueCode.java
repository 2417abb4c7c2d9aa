package dev.espalier.ps.table;

import java.util.Arrays;
import java.util.Locale;

/// How the floats of an update are written between processes.
///
/// [#project] replaces values by the nearest ones that the code can say; those come back from
/// [#decode] bit for bit. A NaN stays a NaN, so that a diverged training shows.
public enum ValueCode {
  /// As they are, 4 bytes each.
  FLOAT32 {
    @Override
    public void project(float[] values, int columns) {}

    @Override
    public byte[] encode(float[] values, int columns) {
      throw new IllegalStateException("floats are written as they are");
    }

    @Override
    public void decode(byte[] code, float[] values, int columns) {
      throw new IllegalStateException("floats are read as they are");
    }
  },

  /// The upper half of a float, rounded to even: 8 bits of mantissa, all of the range; 2 bytes
  /// each.
  BFLOAT16 {
    @Override
    public void project(float[] values, int columns) {
      for (int i = 0; i < values.length; i++) {
        values[i] = Float.intBitsToFloat(upperHalf(values[i]) << 16);
      }
    }

    @Override
    public byte[] encode(float[] values, int columns) {
      byte[] code = new byte[2 * values.length];
      for (int i = 0; i < values.length; i++) {
        put(code, i, Float.floatToRawIntBits(values[i]) >>> 16);
      }
      return code;
    }

    @Override
    public void decode(byte[] code, float[] values, int columns) {
      for (int i = 0; i < values.length; i++) {
        values[i] = Float.intBitsToFloat(get(code, i) << 16);
      }
    }
  },

  /// IEEE 754 half precision, 11 bits of mantissa, up to 65504 where larger values are cut; 2 bytes
  /// each.
  FLOAT16 {
    @Override
    public void project(float[] values, int columns) {
      for (int i = 0; i < values.length; i++) {
        float bounded = Math.clamp(values[i], -MAX_HALF, MAX_HALF);
        values[i] = Float.float16ToFloat(Float.floatToFloat16(bounded));
      }
    }

    @Override
    public byte[] encode(float[] values, int columns) {
      byte[] code = new byte[2 * values.length];
      for (int i = 0; i < values.length; i++) {
        put(code, i, Float.floatToFloat16(values[i]));
      }
      return code;
    }

    @Override
    public void decode(byte[] code, float[] values, int columns) {
      for (int i = 0; i < values.length; i++) {
        values[i] = Float.float16ToFloat((short) get(code, i));
      }
    }
  },

  /// One bit each and two floats for every group of values, the means of those that are >= 0 and of
  /// the others.
  ///
  /// A group is a row, or as many rows as make 32 values when rows are shorter.
  ///
  /// Source: Seide, Fu, Droppo, Li, Yu, "1-Bit Stochastic Gradient Descent and its Application to
  /// Data-Parallel Distributed Training of Speech DNNs" (Interspeech 2014), section 3.2: threshold
  /// 0, one pair of reconstruction values per column.
  ONE_BIT {
    @Override
    public void project(float[] values, int columns) {
      int size = groupSize(columns);
      for (int from = 0; from < values.length; from += size) {
        projectGroup(values, from, Math.min(values.length, from + size));
      }
    }

    private static void projectGroup(float[] values, int from, int to) {
      double above = 0;
      double below = 0;
      int aboveCount = 0;
      for (int i = from; i < to; i++) {
        if (values[i] >= 0) {
          above += values[i];
          aboveCount++;
        } else {
          below += values[i];
        }
      }
      float high = aboveCount == 0 ? 0 : (float) (above / aboveCount);
      float low = aboveCount == to - from ? high : (float) (below / (to - from - aboveCount));
      for (int i = from; i < to; i++) {
        values[i] = values[i] >= 0 ? high : low;
      }
    }

    @Override
    public byte[] encode(float[] values, int columns) {
      int size = groupSize(columns);
      byte[] code = new byte[oneBitBytes(values.length, size)];
      int at = 0;
      for (int from = 0; from < values.length; from += size) {
        at = encodeGroup(values, from, Math.min(values.length, from + size), code, at);
      }
      return code;
    }

    private static int encodeGroup(float[] values, int from, int to, byte[] code, int at) {
      float low = values[from];
      float high = values[from];
      for (int i = from + 1; i < to; i++) {
        low = Math.min(low, values[i]);
        high = Math.max(high, values[i]);
      }
      putFloat(code, at, low);
      putFloat(code, at + Float.BYTES, high);
      int bits = at + 2 * Float.BYTES;
      for (int i = from; i < to; i++) {
        if (values[i] == high) {
          code[bits + ((i - from) >> 3)] |= (byte) (1 << ((i - from) & 7));
        }
      }
      return bits + (to - from + 7) / 8;
    }

    @Override
    public void decode(byte[] code, float[] values, int columns) {
      int size = groupSize(columns);
      int at = 0;
      for (int from = 0; from < values.length; from += size) {
        int to = Math.min(values.length, from + size);
        float low = getFloat(code, at);
        float high = getFloat(code, at + Float.BYTES);
        int bits = at + 2 * Float.BYTES;
        for (int i = from; i < to; i++) {
          boolean isHigh = (code[bits + ((i - from) >> 3)] >> ((i - from) & 7) & 1) != 0;
          values[i] = isHigh ? high : low;
        }
        at = bits + (to - from + 7) / 8;
      }
    }

    @Override
    public long bytes(int count, int columns) {
      return oneBitBytes(count, groupSize(columns));
    }
  };

  private static final float MAX_HALF = 65504;
  private static final int MIN_GROUP = 32;

  /// Replaces values by ones that the code can say.
  ///
  /// @param values rows of `columns` values
  public abstract void project(float[] values, int columns);

  /// Writes values that are as [#project] leaves them.
  public abstract byte[] encode(float[] values, int columns);

  /// Reads what [#encode] wrote.
  ///
  /// @param code of [#bytes] bytes
  /// @param values receives all of it
  public abstract void decode(byte[] code, float[] values, int columns);

  /// Bytes that a number of values take.
  ///
  /// @param count of values
  public long bytes(int count, int columns) {
    return (this == FLOAT32 ? 4L : 2L) * count;
  }

  /// {@return the code of a name as job files have it: `float32`, `bfloat16`, `float16`, `oneBit`}
  public static ValueCode named(String name) {
    return Arrays.stream(values())
        .filter(code -> code.jobName().equals(name))
        .findFirst()
        .orElseThrow(
            () -> new IllegalArgumentException("there is no code of values named " + name));
  }

  /// {@return its name in job files}
  public String jobName() {
    return this == ONE_BIT ? "oneBit" : name().toLowerCase(Locale.ROOT);
  }

  private static int upperHalf(float value) {
    int bits = Float.floatToRawIntBits(value);
    return Float.isNaN(value) ? bits >>> 16 | 1 : (bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16;
  }

  private static int groupSize(int columns) {
    return columns >= MIN_GROUP ? columns : columns * ((MIN_GROUP + columns - 1) / columns);
  }

  private static int oneBitBytes(int count, int group) {
    int rest = count % group;
    return count / group * (8 + (group + 7) / 8) + (rest == 0 ? 0 : 8 + (rest + 7) / 8);
  }

  private static void put(byte[] code, int index, int half) {
    code[2 * index] = (byte) half;
    code[2 * index + 1] = (byte) (half >>> 8);
  }

  private static int get(byte[] code, int index) {
    return code[2 * index] & 0xFF | (code[2 * index + 1] & 0xFF) << 8;
  }

  private static void putFloat(byte[] code, int at, float value) {
    int bits = Float.floatToRawIntBits(value);
    for (int i = 0; i < 4; i++) {
      code[at + i] = (byte) (bits >>> 8 * i);
    }
  }

  private static float getFloat(byte[] code, int at) {
    int bits = 0;
    for (int i = 0; i < 4; i++) {
      bits |= (code[at + i] & 0xFF) << 8 * i;
    }
    return Float.intBitsToFloat(bits);
  }
}
