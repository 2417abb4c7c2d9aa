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

  /// One bit each and two floats for every column of up to 1,024 rows, the means of its values that
  /// are >= 0 and of the others; for every row where there are fewer rows than columns.
  ///
  /// Source: Seide et al. 2014; see the class `OneBitCode`.
  ONE_BIT {
    @Override
    public void project(float[] values, int columns) {
      OneBitCode.of(values.length, columns).project(values);
    }

    @Override
    public byte[] encode(float[] values, int columns) {
      return OneBitCode.of(values.length, columns).encode(values);
    }

    @Override
    public void decode(byte[] code, float[] values, int columns) {
      OneBitCode.of(values.length, columns).decode(code, values);
    }

    @Override
    public long bytes(int count, int columns) {
      return OneBitCode.of(count, columns).bytes();
    }
  };

  private static final float MAX_HALF = 65504;

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

  private static void put(byte[] code, int index, int half) {
    code[2 * index] = (byte) half;
    code[2 * index + 1] = (byte) (half >>> 8);
  }

  private static int get(byte[] code, int index) {
    return code[2 * index] & 0xFF | (code[2 * index + 1] & 0xFF) << 8;
  }
}
