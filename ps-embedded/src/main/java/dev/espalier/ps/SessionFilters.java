package dev.espalier.ps;

import dev.espalier.ps.filter.FetchedTables;
import dev.espalier.ps.filter.FilterOptions;
import dev.espalier.ps.filter.OwnRows;
import dev.espalier.ps.filter.UpdateFilter;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowValues;
import dev.espalier.ps.table.TableSpec;
import java.util.List;

/// What filters do to a session's accesses: some tables are read from a copy, and updates leave
/// smaller or later.
///
/// Belongs to the session's thread.
final class SessionFilters {
  private final FilterOptions options;
  private final List<TableSpec> tables;
  private final UpdateFilter filter;
  private final FetchedTables fetched;

  /// @param tables the visible ones
  /// @param fetch reads a whole table from the shards
  SessionFilters(
      FilterOptions options, List<TableSpec> tables, OwnRows own, FetchedTables.Fetch fetch) {
    this.options = options;
    this.tables = tables;
    filter = new UpdateFilter(options, tables, own);
    fetched = new FetchedTables(options, tables, own, fetch);
  }

  /// Whether gradients of few samples may leave as factors.
  boolean sendsFactors() {
    return options.factors();
  }

  /// Whether clocks' updates are changed or held back.
  boolean changeUpdates() {
    return options.carries() || options.counts();
  }

  /// Whether a table is ever read from a copy.
  boolean copies(int table) {
    return fetched.covers(table);
  }

  /// Whether any table is ever read from a copy.
  boolean copyTables() {
    return options.fetchEvery() > 1;
  }

  /// Whether the table's copy is read in place of the shards; whoever only looks wants the newest.
  boolean readsCopy(int table, StepSize stepSize) {
    return copies(table) && stepSize.updates();
  }

  /// Reads rows of a table's copy.
  void readCopy(int table, RowSelection rows, float[] destination, int offset) {
    float[] values = new float[rows.count() * tables.get(table).columns()];
    fetched.read(table, rows, values);
    System.arraycopy(values, 0, destination, offset, values.length);
  }

  /// Ends a clock. One that changes nothing does not count, and its updates are of no use to
  /// anybody.
  ///
  /// @param byShard its updates, sums over samples
  /// @return what leaves
  UpdateFilter.Filtered endClock(List<List<RowBatch>> byShard, StepSize stepSize, long samples) {
    if (changeUpdates() && !stepSize.updates()) {
      return new UpdateFilter.Filtered(
          byShard.stream().map(SessionFilters::touchedTables).toList(), samples);
    }
    List<List<RowBatch>> updates =
        changeUpdates() ? byShard.stream().map(SessionFilters::withOwnArrays).toList() : byShard;
    if (copyTables() && samples > 0) {
      fetched.step(updates, stepSize.learningRate(), samples);
    }
    UpdateFilter.Filtered filtered = filter.apply(updates, samples);
    filter.endClock();
    return filtered;
  }

  private static List<RowBatch> touchedTables(List<RowBatch> batches) {
    return batches.stream().map(RowBatch::table).distinct().map(RowBatch::empty).toList();
  }

  private static List<RowBatch> withOwnArrays(List<RowBatch> batches) {
    return batches.stream()
        .map(batch -> batch.content() instanceof RowValues.Slice ? batch.inArray() : batch)
        .toList();
  }
}
