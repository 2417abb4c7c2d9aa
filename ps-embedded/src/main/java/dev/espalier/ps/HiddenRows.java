package dev.espalier.ps;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.filter.OwnRows;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.table.TableSpec;
import java.util.Arrays;
import java.util.List;

/// This worker's rows of the filters' tables, which are in the shard beside it. Hidden tables come
/// after those that programs see.
final class HiddenRows implements OwnRows {
  /// Nobody else writes these rows.
  private static final Staleness ANY = new Staleness(Integer.MAX_VALUE);

  private final int visibleTables;
  private final List<TableSpec> hidden;
  private final BranchOnHand onHand;
  private final ShardCalls calls;
  private final RowAssigner assigner;

  /// @param visibleTables how many
  /// @param hidden as they would be with one worker
  HiddenRows(
      int visibleTables,
      List<TableSpec> hidden,
      BranchOnHand onHand,
      ShardCalls calls,
      RowAssigner assigner) {
    this.visibleTables = visibleTables;
    this.hidden = List.copyOf(hidden);
    this.onHand = onHand;
    this.calls = calls;
    this.assigner = assigner;
  }

  @Override
  public void read(int table, RowSelection rows, float[] values) {
    if (rows.count() > 0) {
      BranchRef branch = onHand.selected().branch();
      calls.awaitDelivered(
          calls.worker(),
          calls.read(
              calls.worker(),
              new Moment(branch, onHand.clock(branch), ANY),
              table,
              shifted(table, rows),
              new RowTarget(values, 0, values.length / rows.count(), null)));
    }
  }

  @Override
  public void assign(int table, RowSelection rows, float[] values) {
    if (rows.count() > 0) {
      assigner.assign(
          calls.worker(),
          onHand.selected().branch(),
          new RowBatch(table, shifted(table, rows), values));
    }
  }

  private RowSelection shifted(int table, RowSelection rows) {
    long shift = calls.worker() * hidden.get(table - visibleTables).rows();
    return switch (rows) {
      case RowSelection.Range range -> new RowSelection.Range(range.first() + shift, range.count());
      case RowSelection.Keys keys ->
          new RowSelection.Keys(Arrays.stream(keys.keys()).map(key -> key + shift).toArray());
    };
  }
}
