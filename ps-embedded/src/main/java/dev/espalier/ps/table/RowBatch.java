package dev.espalier.ps.table;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Values for some rows of one table.
///
/// The arrays belong to the batch: nobody writes them after the batch is made.
///
/// @param table index of the table in the parameter server's list
/// @param rows which rows
/// @param values `rows.count() x columns`, row after row; empty when they are given in one of the
///   other ways
/// @param code in which the values are sent to another process; they are such that it loses nothing
/// @param factors the values as factors; null when they are as they are
/// @param onDevice the values on the device of the shard in this process; null when they are on the
///   host
/// @param slice the values as a part of a larger array; null when they have their own
public record RowBatch(
    int table,
    RowSelection rows,
    float[] values,
    ValueCode code,
    @Nullable Factors factors,
    @Nullable DeviceValues onDevice,
    @Nullable Slice slice) {

  /// A part of an array that nobody writes any more.
  ///
  /// @param array in which other values lie, too
  /// @param from index of the first value
  /// @param count number of values
  public record Slice(float[] array, int from, int count) {
    private float[] copied() {
      return Arrays.copyOfRange(array, from, from + count);
    }
  }

  /// Values as they are.
  public RowBatch(int table, RowSelection rows, float[] values) {
    this(table, rows, values, ValueCode.FLOAT32, null, null, null);
  }

  /// Values in a code.
  public RowBatch(int table, RowSelection rows, float[] values, ValueCode code) {
    this(table, rows, values, code, null, null, null);
  }

  /// Values of consecutive rows as factors.
  public static RowBatch of(int table, long first, Factors factors) {
    return new RowBatch(
        table,
        new RowSelection.Range(first, factors.rows()),
        new float[0],
        ValueCode.FLOAT32,
        factors,
        null,
        null);
  }

  /// Values that lie beside others, so that a wire can take them from there.
  public static RowBatch of(int table, RowSelection rows, Slice slice) {
    return new RowBatch(table, rows, new float[0], ValueCode.FLOAT32, null, null, slice);
  }

  /// Values of consecutive rows that lie on the device of the shard in this process.
  public static RowBatch of(int table, RowSelection.Range rows, DeviceValues values) {
    return new RowBatch(table, rows, new float[0], ValueCode.FLOAT32, null, values, null);
  }

  /// This batch with its values as they are.
  public RowBatch multipliedOut() {
    return factors == null ? this : new RowBatch(table, rows, factors.product());
  }

  /// This batch with its values on the host, in an array of its own.
  public RowBatch onHost() {
    if (slice != null) {
      return new RowBatch(table, rows, slice.copied());
    }
    return onDevice == null ? this : new RowBatch(table, rows, onDevice.download());
  }

  /// Gives memory of a device back that the values lie in.
  public void release() {
    if (onDevice != null) {
      onDevice.release();
    }
  }

  /// How many values there are, wherever they are; factors must be multiplied out.
  public int valueCount() {
    if (slice != null) {
      return slice.count();
    }
    return onDevice == null ? values.length : onDevice.count();
  }

  /// Floats per row; 1 when there are no rows.
  public int columns() {
    return rows.count() == 0 ? 1 : valueCount() / rows.count();
  }
}
