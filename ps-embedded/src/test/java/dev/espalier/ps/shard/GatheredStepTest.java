package dev.espalier.ps.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.optim.UpdateRule;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Rows that are stepped side by side get the bits of rows that are stepped where they lie.
final class GatheredStepTest {
  /// Several chunks and pages.
  private static final int ROWS = 5000;

  private static final BranchRef ROOT = new BranchRef(0);
  private static final BranchRef CHILD = new BranchRef(1);

  private static Stream<Arguments> tables() {
    return UpdateRule.names().stream()
        .flatMap(
            rule -> Stream.of(1, 3, 5, 21, 48, 49).map(columns -> Arguments.of(rule, columns)));
  }

  /// Rows in the order of a shuffle, some of which are neighbours.
  private static long[] keys(Random random) {
    Long[] rows = new Long[ROWS];
    Arrays.setAll(rows, i -> (long) i);
    var shuffled = Arrays.asList(rows);
    // The first ones are runs of 600 rows, the others lie apart.
    Collections.rotate(shuffled.subList(0, 1800), 600);
    Collections.shuffle(shuffled.subList(1800, ROWS), random);
    return shuffled.stream().mapToLong(Long::longValue).toArray();
  }

  @ParameterizedTest
  @MethodSource("tables")
  void theBitsAreThoseOfRowsThatLieTogether(String rule, int columns) {
    Random random = new Random(5);
    long[] keys = keys(random);
    float[] root = {};
    try (Shard apart = shard(rule, columns);
        Shard together = shard(rule, columns)) {
      for (Shard shard : List.of(apart, together)) {
        send(shard, new ShardCommand.Create(ROOT, 0));
      }
      for (BranchRef branch : List.of(ROOT, CHILD)) {
        for (int clock = 0; clock < 3; clock++) {
          float[] ordered = new float[ROWS * columns];
          for (int i = 0; i < ordered.length; i++) {
            ordered[i] = (float) random.nextGaussian();
          }
          float[] scattered = new float[ordered.length];
          for (int i = 0; i < ROWS; i++) {
            System.arraycopy(ordered, (int) keys[i] * columns, scattered, i * columns, columns);
          }
          push(apart, branch, clock, new RowSelection.Keys(keys), scattered);
          push(together, branch, clock, new RowSelection.Range(0, ROWS), ordered);
        }
        assertThat(Arrays.mismatch(read(apart, branch), read(together, branch))).isEqualTo(-1);
        if (branch.equals(ROOT)) {
          root = read(apart, ROOT);
          for (Shard shard : List.of(apart, together)) {
            send(shard, new ShardCommand.Fork(CHILD, ROOT, 0));
          }
        }
      }
      assertThat(Arrays.mismatch(read(apart, ROOT), root)).as("the parent").isEqualTo(-1);
    }
  }

  private static Shard shard(String rule, int columns) {
    return new Shard(
        new ShardConfig(0, 1, 4096, 4096, 128 << 20),
        List.of(TableSpec.sparse("w", ROWS, columns, rule)),
        RowKernelsProvider.best());
  }

  private static void push(
      Shard shard, BranchRef branch, long clock, RowSelection rows, float[] sums) {
    send(
        shard,
        new ShardCommand.Push(
            branch,
            0,
            clock,
            Staleness.bulkSynchronous(),
            new StepSize(0.1, 0.9),
            3,
            List.of(new RowBatch(0, rows, sums.clone()))));
  }

  private static void send(Shard shard, ShardCommand command) {
    assertThat(shard.submit(command).join()).isEqualTo(new ShardReply.Acknowledged());
  }

  private static float[] read(Shard shard, BranchRef branch) {
    var all = new RowSelection.Range(0, ROWS);
    ShardReply reply =
        shard
            .submit(new ShardCommand.Read(branch, 0, 0, Staleness.bulkSynchronous(), 0, all))
            .join();
    return ((ShardReply.Rows) reply).values();
  }
}
