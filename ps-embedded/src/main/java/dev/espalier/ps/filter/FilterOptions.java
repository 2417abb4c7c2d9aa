package dev.espalier.ps.filter;

import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.table.ValueCode;
import java.util.List;

/// What is done to the updates of every worker so that less travels; the same at all workers.
///
/// Tables with rule `add` are not touched by any of it: what is added must be there in the next
/// clock.
///
/// @param code in which values are sent; what it loses is added to the next update of the row
/// @param significance a row is held back while its largest value is below this many times the mean
///   size of all values of its table in the clock, and is added to the row's next update; 0 sends
///   all; in [0, 100]
/// @param pushEvery updates are added up over so many clocks and then sent; >= 1
/// @param fetchEvery all but sparse tables are read from the shards every so many clocks, and in
///   between from a copy that the worker's own plain gradient steps change; >= 1
/// @param factors whether gradients that a program gives as factors travel as such
public record FilterOptions(
    ValueCode code, double significance, int pushEvery, int fetchEvery, boolean factors) {
  /*
   * What is carried from one clock to a later one, so the error of a code, rows held back and updates
   * not sent yet, is state of the branch: trial branches fork from it and must go on from the same
   * state. So it lies in tables of the parameter server itself, hidden ones, with the rows of worker w
   * in the shard of worker w: where they cost no message, and where forks share them, frees drop them
   * and checkpoints save them like all else.
   */

  /// Every value of every clock, as it is.
  public static final FilterOptions NONE = new FilterOptions(ValueCode.FLOAT32, 0, 1, 1, false);

  private static final int MAX_EVERY = 1000;
  private static final double MAX_SIGNIFICANCE = 100;

  /// Checks the bounds.
  public FilterOptions {
    if (!(significance >= 0 && significance <= MAX_SIGNIFICANCE)) {
      throw new IllegalArgumentException("significance must be in [0, 100] but is " + significance);
    }
    if (pushEvery < 1 || pushEvery > MAX_EVERY) {
      throw new IllegalArgumentException("pushEvery must be in [1, 1000] but is " + pushEvery);
    }
    if (fetchEvery < 1 || fetchEvery > MAX_EVERY) {
      throw new IllegalArgumentException("fetchEvery must be in [1, 1000] but is " + fetchEvery);
    }
  }

  /// Whether a worker carries something from one clock to a later one.
  public boolean carries() {
    return code != ValueCode.FLOAT32 || significance > 0 || pushEvery > 1;
  }

  /// Whether what happens depends on the clock.
  public boolean counts() {
    return pushEvery > 1 || fetchEvery > 1;
  }

  /// The tables that hold what workers carry.
  ///
  /// @param tables the visible ones
  /// @param workers number of workers
  public List<TableSpec> hiddenTables(List<TableSpec> tables, int workers) {
    return new HiddenTables(this, tables)
        .ofOneWorker().stream().map(table -> ofWorkers(table, workers)).toList();
  }

  private static TableSpec ofWorkers(TableSpec table, int workers) {
    return new TableSpec(
        table.name(),
        Math.multiplyExact(table.rows(), workers),
        table.columns(),
        table.access(),
        table.rule(),
        table.options());
  }
}
