package dev.espalier.ps;

import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowRange;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Reads rows from the shards that have them, at once or ahead of their use.
///
/// Belongs to the session's thread.
final class RowReader {
  private final List<TableSpec> tables;
  private final RowPlaces places;
  private final ShardCalls calls;
  private final ReadAhead ahead;

  RowReader(List<TableSpec> tables, RowPlaces places, ShardCalls calls) {
    this.tables = tables;
    this.places = places;
    this.calls = calls;
    ahead = new ReadAhead(tables.stream().mapToInt(TableSpec::columns).toArray(), this::send);
  }

  /// Reads consecutive rows.
  void read(Moment moment, int table, long first, int count, float[] destination, int offset) {
    int columns = tables.get(table).columns();
    List<@Nullable CompletableFuture<ShardReply>> replies = new ArrayList<>();
    for (RowRange part : places.cut(table, first, count)) {
      int shard = replies.size();
      replies.add(
          part.count() == 0
              ? null
              : calls.read(
                  shard,
                  moment,
                  table,
                  new RowSelection.Range(part.first(), (int) part.count()),
                  new RowTarget(
                      destination,
                      offset + (int) (part.first() - first) * columns,
                      columns,
                      null)));
    }
    calls.awaitDelivered(replies);
  }

  /// Reads some rows, which may be on their way already.
  void read(Moment moment, int table, long[] rows, int count, float[] destination) {
    Optional<ReadAhead.Sent> early = ahead.take(moment, table, rows, count);
    if (early.isPresent()) {
      calls.awaitDelivered(early.get().replies());
      float[] values = early.get().values();
      System.arraycopy(values, 0, destination, 0, values.length);
    } else {
      calls.awaitDelivered(send(moment, table, rows, count, destination));
    }
  }

  private List<@Nullable CompletableFuture<ShardReply>> send(
      Moment moment, int table, long[] rows, int count, float[] destination) {
    int columns = tables.get(table).columns();
    if (places.shards() == 1) {
      return count == 0
          ? List.of()
          : List.of(
              calls.read(
                  0,
                  moment,
                  table,
                  new RowSelection.Keys(Arrays.copyOf(rows, count)),
                  new RowTarget(destination, 0, columns, null)));
    }
    int[] shards = places.shardsOf(table, rows, count);
    List<@Nullable CompletableFuture<ShardReply>> replies = new ArrayList<>();
    for (int shard = 0; shard < places.shards(); shard++) {
      int[] chosen = RowPlaces.placesOf(shard, shards);
      replies.add(
          chosen.length == 0
              ? null
              : calls.read(
                  shard,
                  moment,
                  table,
                  new RowSelection.Keys(RowPlaces.at(chosen, rows)),
                  target(destination, columns, chosen)));
    }
    return replies;
  }

  /// Where the chosen rows of a list go; those of an ascending list follow each other.
  private static RowTarget target(float[] destination, int columns, int[] chosen) {
    int first = chosen[0];
    boolean isTogether = chosen[chosen.length - 1] - first == chosen.length - 1;
    return new RowTarget(
        destination, isTogether ? first * columns : 0, columns, isTogether ? null : chosen);
  }

  /// The next clock will read these rows in one call.
  void announce(int table, long[] rows, int count) {
    ahead.announce(table, rows, count);
  }

  /// Asks for what was announced for the clock that begins.
  void advance(Moment moment) {
    ahead.advance(moment);
  }

  /// Forgets what was asked for ahead: parameters were set meanwhile.
  void forget() {
    ahead.clear();
  }
}
