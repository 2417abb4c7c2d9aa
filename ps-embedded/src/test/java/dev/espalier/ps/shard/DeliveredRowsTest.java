package dev.espalier.ps.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.table.TableSpec;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DeliveredRowsTest {
  private static final BranchRef ROOT = new BranchRef(0);
  private static final int ROWS = 3000;

  /// Few and many rows, short and long ones.
  @ParameterizedTest
  @CsvSource({"7, 20", "512, 1", "2000, 20", "1700, 513", "600, 512"})
  void rowsComeFromWhereTheyLieAndNoPageStaysHeld(int count, int columns) {
    var random = new Random(count);
    float[] values = new float[ROWS * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat();
    }
    var config = new ShardConfig(0, 1, 4096, 16384, 64 << 20);
    var tables = List.of(TableSpec.sparse("w", ROWS, columns, "sgd"));
    try (var shard = new Shard(config, tables, RowKernelsProvider.best())) {
      shard.submit(new ShardCommand.Create(ROOT, 0)).join();
      var all = new RowBatch(0, new RowSelection.Range(0, ROWS), values.clone());
      shard.submit(new ShardCommand.Assign(ROOT, 0, List.of(all))).join();
      long[] keys = random.longs(count, 0, ROWS).toArray();
      int[] backwards = IntStream.range(0, count).map(i -> count - 1 - i).toArray();
      for (int[] places : new int[][] {null, backwards}) {
        float[] read = new float[count * columns + 5];
        var target = new RowTarget(read, 3, columns, places);
        var command =
            new ShardCommand.Read(
                ROOT, 0, 0, Staleness.bulkSynchronous(), 0, new RowSelection.Keys(keys));
        assertThat(shard.submit(command, target).join()).isEqualTo(new ShardReply.Delivered(count));
        for (int i = 0; i < count; i++) {
          int at = 3 + (places == null ? i : places[i]) * columns;
          int row = (int) keys[i];
          assertThat(Arrays.copyOfRange(read, at, at + columns))
              .isEqualTo(Arrays.copyOfRange(values, row * columns, (row + 1) * columns));
        }
        assertThat(new float[] {read[0], read[1], read[2]}).containsOnly(0);
        assertThat(Arrays.copyOfRange(read, 3 + count * columns, read.length)).containsOnly(0);
      }
      shard.submit(new ShardCommand.Free(ROOT, 0)).join();
      assertThat(shard.stats().pagesInUse()).isZero();
    }
  }

  /// So many that the cores share them, beginning and ending in the middle of pages.
  @Test
  void manyRowsComeFromAllTheirPages() {
    int columns = 513;
    int rows = 9000;
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    var config = new ShardConfig(0, 1, 1 << 16, 1 << 16, 64 << 20);
    var tables = List.of(TableSpec.dense("w", rows, columns, "sgd"));
    try (var shard = new Shard(config, tables, RowKernelsProvider.best())) {
      shard.submit(new ShardCommand.Create(ROOT, 0)).join();
      var all = new RowBatch(0, new RowSelection.Range(0, rows), values.clone());
      shard.submit(new ShardCommand.Assign(ROOT, 0, List.of(all))).join();
      int first = 7;
      int count = rows - 18;
      var command =
          new ShardCommand.Read(
              ROOT, 0, 0, Staleness.bulkSynchronous(), 0, new RowSelection.Range(first, count));
      float[] read = new float[count * columns + 5];
      var target = new RowTarget(read, 3, columns, null);

      assertThat(shard.submit(command, target).join()).isEqualTo(new ShardReply.Delivered(count));
      float[] expected = new float[read.length];
      System.arraycopy(values, first * columns, expected, 3, count * columns);
      assertThat(Arrays.equals(read, expected)).isTrue();
      assertThat(shard.submit(command).join())
          .isInstanceOfSatisfying(
              ShardReply.Rows.class,
              copied ->
                  assertThat(
                          Arrays.equals(
                              copied.values(), Arrays.copyOfRange(read, 3, read.length - 2)))
                      .isTrue());
    }
  }
}
