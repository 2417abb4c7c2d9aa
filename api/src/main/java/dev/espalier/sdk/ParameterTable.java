package dev.espalier.sdk;

import java.util.Optional;
import java.util.function.Supplier;

/// One table of the branch that is being trained.
///
/// Rows are numbered from 0. Values are laid out row by row. Reads see at least all updates that
/// the branch's staleness demands. Belongs to the thread that calls the program: others of its own
/// may work on arrays and on open rows, but call nothing here. Gradients are sums over this
/// worker's samples of the clock: the server divides by the number of samples of all workers.
public interface ParameterTable {
  long rows();

  int columns();

  /// Reads `count` consecutive rows.
  ///
  /// @param values receives count x columns floats from `offset`
  void read(long firstRow, int count, float[] values, int offset);

  /// Reads `count` rows by number.
  ///
  /// @param rows the first `count` entries are used; may repeat
  /// @param values receives count x columns floats
  void read(long[] rows, int count, float[] values);

  /// Says that the next clock will read exactly these rows by number, so that they can travel while
  /// it is prepared; see [ProgramContext#nextSamples]. May be left out; changes no result.
  ///
  /// @param rows the first `count` entries are used; may repeat
  default void announce(long[] rows, int count) {}

  /// {@return all rows in a new array, rows x columns floats}
  ///
  /// @throws ArithmeticException when the table has more values than an array can hold
  default float[] readAll() {
    float[] values = new float[Math.toIntExact(Math.multiplyExact(rows(), (long) columns()))];
    read(0, (int) rows(), values, 0);
    return values;
  }

  /// The memory of all rows, for native code that computes on them without a copy; what it shows is
  /// what a [#read] of all rows would give, and stays so until the view is closed.
  ///
  /// @return empty where the rows do not lie together in this process
  default Optional<TableView> view() {
    return Optional.empty();
  }

  /// Adds sums of this clock's per-sample gradients to all rows, from memory of the device on which
  /// a [#view] lies.
  ///
  /// @param address of rows x columns floats, all work that writes them done; they are copied
  /// @return false when nothing was added, and they must come from the host
  default boolean addFromDevice(long address) {
    return false;
  }

  /// Opens rows for this clock to change where they lie, one sample after the other, instead of
  /// adding gradient sums: what is written is the update, so the table's rule must be `add`. To be
  /// closed before the clock ends.
  ///
  /// Where the rows belong to this process alone, they are the branch's own memory, copied before
  /// the first change of each page that other branches share. Elsewhere they are copies, and
  /// closing adds what changed: with several workers the changes of all are added up. Either way
  /// [#read] may or may not see a change before the clock has ended.
  ///
  /// @param rows asked for the rows that will be touched, each once, where they must be fetched;
  ///   others may not be touched then
  /// @throws IllegalStateException when the rule is another one
  default OpenRows open(Supplier<long[]> rows) {
    return FetchedRows.open(this, rows.get());
  }

  /// Adds the gradient sums of `count` consecutive rows.
  ///
  /// @param gradients count x columns floats from `offset`
  void add(long firstRow, int count, float[] gradients, int offset);

  /// Adds the gradient sums of `count` rows by number.
  ///
  /// @param rows the first `count` entries are used; may repeat, repeats add up
  /// @param gradients count x columns floats
  void add(long[] rows, int count, float[] gradients);

  /// Adds the gradient sums of all rows.
  ///
  /// @param gradients rows x columns floats
  default void addAll(float[] gradients) {
    add(0, Math.toIntExact(rows()), gradients, 0);
  }

  /// Whether the gradient of `count` rows had better be given to [#addProducts]: its vectors would
  /// travel, and are smaller than it. Where they would not, the product is better made by the
  /// program, which has the faster way to make it.
  ///
  /// @param samples number of products, >= 1
  default boolean prefersProducts(int count, int samples) {
    return false;
  }

  /// Adds the gradient sums of `count` consecutive rows, given as a sum of products of vectors, as
  /// the gradient of a dense layer is: row `i`, column `j` gets the sum over `s` of `left[s x count
  /// + i] * right[s x columns + j]`.
  ///
  /// Where the job's `communication.sufficientFactors` is on and the vectors are smaller than the
  /// rows, they travel in the rows' place; so the arrays must not be changed afterwards.
  ///
  /// @param samples number of products, >= 1
  /// @param left samples x count floats
  /// @param right samples x columns floats
  default void addProducts(long firstRow, int count, int samples, float[] left, float[] right) {
    int columns = columns();
    float[] sums = new float[count * columns];
    for (int row = 0; row < count; row++) {
      for (int s = 0; s < samples; s++) {
        float weight = left[s * count + row];
        for (int column = 0; column < columns; column++) {
          sums[row * columns + column] += weight * right[s * columns + column];
        }
      }
    }
    add(firstRow, count, sums, 0);
  }

  /// Writes initial values of `count` consecutive rows; only inside `initialise`.
  ///
  /// @throws IllegalStateException outside `initialise`
  void assign(long firstRow, int count, float[] values, int offset);
}
