package dev.espalier.ps;

import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.RowRange;
import java.util.ArrayList;
import java.util.List;

/// Which shards have the rows of an access.
///
/// @param partitioners of each table, at least one
record RowPlaces(List<Partitioner> partitioners) {

  int shards() {
    return partitioners.getFirst().shards();
  }

  List<RowRange> cut(int table, long first, int count) {
    List<RowRange> parts = new ArrayList<>();
    for (int shard = 0; shard < shards(); shard++) {
      RowRange range = partitioners.get(table).rangeOf(shard);
      long from = Math.clamp(first, range.first(), range.end());
      long to = Math.clamp(first + count, range.first(), range.end());
      parts.add(new RowRange(from, to));
    }
    return parts;
  }

  int[] shardsOf(int table, long[] rows, int count) {
    int[] shards = new int[count];
    if (shards() == 1) {
      return shards;
    }
    for (int i = 0; i < count; i++) {
      shards[i] = partitioners.get(table).shardOf(rows[i]);
    }
    return shards;
  }

  static int[] placesOf(int shard, int[] shards) {
    int count = 0;
    for (int candidate : shards) {
      count += candidate == shard ? 1 : 0;
    }
    int[] places = new int[count];
    int next = 0;
    for (int i = 0; i < shards.length; i++) {
      if (shards[i] == shard) {
        places[next++] = i;
      }
    }
    return places;
  }

  static long[] at(int[] places, long[] rows) {
    long[] keys = new long[places.length];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = rows[places[i]];
    }
    return keys;
  }
}
