package dev.espalier.ps.filter;

import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.util.List;

/// A worker's copies of all but sparse tables, fetched from the shards every so many clocks and
/// changed by the worker's own gradients in between.
///
/// Source: Dean et al., "Large Scale Distributed Deep Networks" (NIPS 2012), section 4.1, Downpour
/// SGD, n_fetch and n_push, algorithm 7.1: in between the copy takes plain gradient steps, whatever
/// the table's update rule. Belongs to the session's thread.
public final class FetchedTables {

  /// Reads a whole table from its shards.
  public interface Fetch {
    /// @param values receives `rows x columns`
    void read(int table, float[] values);
  }

  private final List<TableSpec> tables;
  private final HiddenTables hidden;
  private final OwnRows own;
  private final Fetch fetch;

  /// @param options how often to fetch
  /// @param tables the visible ones
  /// @param own this worker's rows of the hidden tables
  /// @param fetch reads from the shards
  public FetchedTables(FilterOptions options, List<TableSpec> tables, OwnRows own, Fetch fetch) {
    this.tables = List.copyOf(tables);
    this.hidden = new HiddenTables(options, tables);
    this.own = own;
    this.fetch = fetch;
  }

  /// Whether a table is read through its copy.
  public boolean covers(int table) {
    return hidden.isFetched(table);
  }

  /// Reads rows of a covered table.
  ///
  /// @param values receives `rows x columns`
  public void read(int table, RowSelection rows, float[] values) {
    float[] counts = new float[HiddenTables.COUNTS + tables.size()];
    own.read(hidden.counts(), new RowSelection.Range(0, 1), counts);
    if (counts[HiddenTables.COUNTS + table] == 0) {
      TableSpec spec = tables.get(table);
      float[] all = new float[Math.toIntExact(spec.rows() * spec.columns())];
      fetch.read(table, all);
      own.assign(hidden.fetched(table), new RowSelection.Range(0, (int) spec.rows()), all);
      counts[HiddenTables.COUNTS + table] = 1;
      own.assign(hidden.counts(), new RowSelection.Range(0, 1), counts);
    }
    own.read(hidden.fetched(table), rows, values);
  }

  /// Takes a step on the copies.
  ///
  /// @param byShard the clock's updates, sums over samples
  /// @param learningRate of the step
  /// @param samples in the sums, >= 1
  public void step(List<List<RowBatch>> byShard, double learningRate, long samples) {
    float scale = (float) (learningRate / samples);
    for (List<RowBatch> batches : byShard) {
      for (RowBatch update : batches) {
        if (covers(update.table()) && update.rows().count() > 0) {
          RowBatch batch = update.inArray();
          float[] copy = new float[batch.values().length];
          own.read(hidden.fetched(batch.table()), batch.rows(), copy);
          for (int i = 0; i < copy.length; i++) {
            copy[i] -= scale * batch.values()[i];
          }
          own.assign(hidden.fetched(batch.table()), batch.rows(), copy);
        }
      }
    }
  }
}
