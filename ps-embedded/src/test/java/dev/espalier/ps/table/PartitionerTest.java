package dev.espalier.ps.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class PartitionerTest {

  @Test
  void rangesAreContiguousAndAgreeWithTheShardOfEveryRow() {
    for (int rows = 1; rows <= 40; rows++) {
      for (int shards = 1; shards <= 9; shards++) {
        Partitioner partitioner = new Partitioner(rows, shards);
        long end = 0;
        for (int shard = 0; shard < shards; shard++) {
          RowRange range = partitioner.rangeOf(shard);
          assertThat(range.first()).isEqualTo(end);
          assertThat(range.count()).isBetween((long) rows / shards, (long) rows / shards + 1);
          for (long row = range.first(); row < range.end(); row++) {
            assertThat(partitioner.shardOf(row)).isEqualTo(shard);
          }
          end = range.end();
        }
        assertThat(end).isEqualTo(rows);
      }
    }
  }

  @Test
  void rowsOutsideAreRefused() {
    assertThatThrownBy(() -> new Partitioner(3, 2).shardOf(3))
        .hasMessage("row must be in [0, 3) but is 3");
  }
}
