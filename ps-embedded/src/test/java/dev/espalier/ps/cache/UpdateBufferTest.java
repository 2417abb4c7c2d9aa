package dev.espalier.ps.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.kernel.ScalarRowKernels;
import dev.espalier.ps.table.PageSource;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

final class UpdateBufferTest {
  private final UpdateBuffer buffer =
      new UpdateBuffer(
          List.of(TableSpec.dense("d", 100, 2, "sgd"), TableSpec.sparse("s", 1_000_000, 1, "sgd")),
          2,
          new ScalarRowKernels(),
          float[]::new,
          PageSource.NONE);

  @Test
  void aRunOfRowsLeavesAsRangesOfTheShards() {
    buffer.add(0, 40, 20, new float[40], 0);
    List<List<RowBatch>> drained = buffer.drain();
    assertThat(drained.get(0)).extracting(RowBatch::rows).containsExactly(range(40, 10));
    assertThat(drained.get(1)).extracting(RowBatch::rows).containsExactly(range(50, 10));
    assertThat(buffer.isEmpty()).isTrue();
  }

  @Test
  void aWholeDenseTableLeavesInTheArrayItWasAddedUpIn() {
    float[] ones = new float[200];
    Arrays.fill(ones, 1);
    buffer.add(0, 0, 100, ones, 0);
    buffer.add(0, 60, 1, new float[] {1, 2}, 0);
    List<List<RowBatch>> drained = buffer.drain();
    RowBatch first = drained.get(0).getFirst();
    RowBatch second = drained.get(1).getFirst();
    assertThat(second.array()).isSameAs(first.array());
    assertThat(second.rows()).isEqualTo(range(50, 50));
    assertThat(second.from()).isEqualTo(100);

    buffer.add(0, 0, 100, new float[200], 0);
    assertThat(buffer.drain().getFirst().getFirst().array()).isNotSameAs(first.array());
    assertThat(first.inArray().values()).hasSize(100).containsOnly(1);
    assertThat(Arrays.copyOf(second.inArray().values(), 22)).endsWith(2, 3).startsWith(1, 1);
  }

  @Test
  void scatteredRowsOfADenseTableLeaveByNumber() {
    long[] rows = LongStream.range(0, 20).map(i -> 2 * i).toArray();
    buffer.add(0, rows, 20, new float[40]);
    RowBatch batch = buffer.drain().getFirst().getFirst();
    assertThat(batch.rows()).isInstanceOf(RowSelection.Keys.class);
    assertThat(((RowSelection.Keys) batch.rows()).keys()).containsExactly(rows);
  }

  @Test
  void aTouchedTableSendsAnEmptyBatchToShardsWithoutRows() {
    buffer.add(1, new long[] {7, 7}, 2, new float[] {1, 2});
    List<List<RowBatch>> drained = buffer.drain();
    assertThat(drained.get(0).getFirst().values()).containsExactly(3);
    assertThat(drained.get(1)).extracting(RowBatch::rows).containsExactly(range(0, 0));
  }

  @Test
  void manyRowsAreAddedUpAndForgottenAfterwards() {
    long[] rows = LongStream.range(0, 5000).map(i -> i * 7919 % 1_000_000).toArray();
    float[] ones = new float[5000];
    Arrays.fill(ones, 1);
    buffer.add(1, rows, 5000, ones);
    buffer.add(1, rows, 5000, ones);
    int sent = 0;
    for (List<RowBatch> batches : buffer.drain()) {
      assertThat(batches.getFirst().values()).containsOnly(2);
      sent += batches.getFirst().rows().count();
    }
    assertThat(sent).isEqualTo(5000);
    buffer.add(1, 3, 1, new float[] {9}, 0);
    assertThat(buffer.drain().getFirst().getFirst().values()).containsExactly(9);
  }

  private static RowSelection range(long first, int count) {
    return new RowSelection.Range(first, count);
  }
}
