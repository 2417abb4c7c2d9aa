package dev.espalier.ps.table;

/// Values of some rows, row after row, in one of the ways in which they can be given.
public sealed interface RowValues {

  /// How many there are.
  int count();

  /// An array of their own.
  ///
  /// @param array nobody else writes it
  /// @param code in which they are sent to another process; they are such that it loses nothing
  record Own(float[] array, ValueCode code) implements RowValues {
    @Override
    public int count() {
      return array.length;
    }
  }

  /// A part of an array that is its receiver's alone: a wire can take it from there, and a shard
  /// add to it.
  ///
  /// @param array in which values lie that belong to others
  /// @param from index of the first value
  /// @param count number of values
  /// @param letGo to be run once by the receiver, when it needs them no more
  record Slice(float[] array, int from, int count, Runnable letGo) implements RowValues {}

  /// A matrix as a sum of products.
  ///
  /// @param factors of which
  record Products(Factors factors) implements RowValues {
    @Override
    public int count() {
      return Math.multiplyExact(factors.rows(), factors.columns());
    }
  }

  /// Memory of the shard in this process, until they are released.
  sealed interface InShard extends RowValues {

    /// Copies them to an array.
    float[] download();

    /// Gives their memory back, for work that is queued behind what reads them.
    void release();
  }

  /// Memory of the shard's device.
  non-sealed interface OnDevice extends InShard {

    /// Where they lie.
    long address();
  }

  /// All rows of the shard's part of a table, in fresh pages: a step writes over them, and the
  /// pages become the table's.
  non-sealed interface InPages extends InShard {

    /// Sets the values of consecutive rows.
    ///
    /// @param first index of the first row among those of the shard
    /// @param count number of rows
    /// @param values as many values for each row
    /// @param offset where in `values` they begin
    void set(int first, int count, float[] values, int offset);

    /// Adds to the values of consecutive rows, which were set before.
    ///
    /// @param first index of the first row among those of the shard
    /// @param count number of rows
    /// @param values as many values for each row
    /// @param offset where in `values` they begin
    void add(int first, int count, float[] values, int offset);
  }
}
