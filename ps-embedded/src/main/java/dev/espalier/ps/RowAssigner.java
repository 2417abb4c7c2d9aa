package dev.espalier.ps;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowRange;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.util.Arrays;
import java.util.List;

/// Sets rows at the shards that have them, at once and not as an update.
///
/// Belongs to the session's thread.
final class RowAssigner {
  private final List<TableSpec> tables;
  private final RowPlaces places;
  private final ShardCalls calls;

  RowAssigner(List<TableSpec> tables, RowPlaces places, ShardCalls calls) {
    this.tables = tables;
    this.places = places;
    this.calls = calls;
  }

  /// Sets consecutive rows.
  void assign(BranchRef branch, int table, long first, int count, float[] values, int offset) {
    int columns = tables.get(table).columns();
    List<RowRange> parts = places.cut(table, first, count);
    for (int shard = 0; shard < parts.size(); shard++) {
      RowRange part = parts.get(shard);
      if (part.count() > 0) {
        int from = offset + (int) (part.first() - first) * columns;
        assign(
            shard,
            branch,
            new RowBatch(
                table,
                new RowSelection.Range(part.first(), (int) part.count()),
                Arrays.copyOfRange(values, from, from + (int) part.count() * columns)));
      }
    }
  }

  /// Sets some rows, each once.
  void assign(BranchRef branch, int table, long[] rows, int count, float[] values) {
    int columns = tables.get(table).columns();
    int[] shards = places.shardsOf(table, rows, count);
    for (int shard = 0; shard < places.shards(); shard++) {
      int[] chosen = RowPlaces.placesOf(shard, shards);
      float[] part = new float[chosen.length * columns];
      for (int i = 0; i < chosen.length; i++) {
        System.arraycopy(values, chosen[i] * columns, part, i * columns, columns);
      }
      if (chosen.length > 0) {
        assign(
            shard,
            branch,
            new RowBatch(table, new RowSelection.Keys(RowPlaces.at(chosen, rows)), part));
      }
    }
  }

  /// Sets rows of one shard.
  ///
  /// @param batch belongs to the shard afterwards
  void assign(int shard, BranchRef branch, RowBatch batch) {
    calls.send(shard, new ShardCommand.Assign(branch, calls.worker(), List.of(batch)));
  }
}
