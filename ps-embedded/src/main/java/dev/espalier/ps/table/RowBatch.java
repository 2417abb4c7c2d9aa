package dev.espalier.ps.table;

import java.util.Arrays;

/// Values for some rows of one table.
///
/// The arrays belong to the batch: nobody writes them after the batch is made.
///
/// @param table index of the table in the parameter server's list
/// @param rows which rows
/// @param content as many values for each of the rows
public record RowBatch(int table, RowSelection rows, RowValues content) {

  /// Values in an array.
  public RowBatch(int table, RowSelection rows, float[] values) {
    this(table, rows, values, ValueCode.FLOAT32);
  }

  /// Values in an array, which are sent in a code.
  public RowBatch(int table, RowSelection rows, float[] values, ValueCode code) {
    this(table, rows, new RowValues.Own(values, code));
  }

  /// Values of consecutive rows as factors.
  public static RowBatch of(int table, long first, Factors factors) {
    return new RowBatch(
        table, new RowSelection.Range(first, factors.rows()), new RowValues.Products(factors));
  }

  /// No rows: the table counts as touched all the same.
  public static RowBatch empty(int table) {
    return new RowBatch(table, new RowSelection.Range(0, 0), new float[0]);
  }

  /// The array of values that have their own.
  ///
  /// @throws IllegalStateException when they have none; see [#inArray]
  public float[] values() {
    if (content instanceof RowValues.Own(float[] array, _)) {
      return array;
    }
    throw new IllegalStateException(
        "values of table %d must lie in an array of their own but are %s"
            .formatted(table, content.getClass().getSimpleName()));
  }

  /// This batch with its values in an array of their own; as long as it is used, those of this
  /// batch are not let go.
  public RowBatch inArray() {
    return switch (content) {
      case RowValues.Own _ -> this;
      case RowValues.Slice(float[] array, int from, int count, _) ->
          new RowBatch(
              table,
              rows,
              count == array.length ? array : Arrays.copyOfRange(array, from, from + count));
      case RowValues.Products(Factors factors) -> new RowBatch(table, rows, factors.product());
      case RowValues.InShard values -> new RowBatch(table, rows, values.download());
    };
  }

  /// This batch with its values in memory of the JVM, in an array of their own or in a part of one.
  public RowBatch inJvm() {
    return switch (content) {
      case RowValues.Own _, RowValues.Slice _ -> this;
      case RowValues.Products _, RowValues.InShard _ -> inArray();
    };
  }

  /// The array that has the values, row after row, from [#from] on; others may lie around them.
  ///
  /// @throws IllegalStateException when they are not [#inJvm]
  public float[] array() {
    return content instanceof RowValues.Slice(float[] array, _, _, _) ? array : values();
  }

  /// Where in [#array] the values begin.
  public int from() {
    return content instanceof RowValues.Slice(_, int from, _, _) ? from : 0;
  }

  /// Lets the values go, of which others keep the memory: a shard, or the array of which they are a
  /// part. To be called once, by who received them.
  public void release() {
    switch (content) {
      case RowValues.InShard values -> values.release();
      case RowValues.Slice slice -> slice.letGo().run();
      case RowValues.Own _, RowValues.Products _ -> {}
    }
  }

  /// Floats per row; 1 when there are no rows.
  public int columns() {
    return rows.count() == 0 ? 1 : content.count() / rows.count();
  }
}
