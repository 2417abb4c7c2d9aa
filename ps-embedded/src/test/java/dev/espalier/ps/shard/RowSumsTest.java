package dev.espalier.ps.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.kernel.ScalarRowKernels;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowValues;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class RowSumsTest {

  private static RowBatch slice(RowSelection rows, float[] array) {
    return new RowBatch(0, rows, new RowValues.Slice(array, 1, array.length - 2, () -> {}));
  }

  private static List<RowBatch> sum(RowBatch... byRank) {
    return RowSums.sum(List.of(byRank).stream().map(List::of).toList(), 1, new ScalarRowKernels());
  }

  @Test
  void rangesAreAddedUpInTheirPartOfAnArrayAndNotBesideIt() {
    var rows = new RowSelection.Range(4, 2);
    float[] first = {9, 1, 2, 9};
    float[] second = {7, 10, 20, 7};

    RowBatch sum = sum(slice(rows, first), slice(rows, second)).getFirst();

    assertThat(sum.inArray().values()).containsExactly(11, 22);
    assertThat(first).containsExactly(9, 11, 22, 9);
    assertThat(second).containsExactly(7, 10, 20, 7);
  }

  @Test
  void aRowThatEachWorkerSendsTwiceIsOneSum() {
    var rows = new RowSelection.Range(4, 2);
    List<List<RowBatch>> byRank =
        Stream.of(1f, 100f)
            .map(unit ->
                List.of(
                    new RowBatch(0, rows, new float[] {unit, 2 * unit}),
                    new RowBatch(0, rows, new float[] {10 * unit, 20 * unit})))
            .toList();

    List<RowBatch> sums = RowSums.sum(byRank, 1, new ScalarRowKernels());

    assertThat(sums).hasSize(1);
    assertThat(sums.getFirst().values()).containsExactly(1111, 2222);
  }

  @Test
  void rowsOfPartsOfArraysAreFoundByNumber() {
    RowBatch sum =
        sum(
                slice(new RowSelection.Keys(new long[] {5, 3}), new float[] {9, 1, 2, 9}),
                slice(new RowSelection.Keys(new long[] {3, 8}), new float[] {7, 10, 20, 7}))
            .getFirst();

    assertThat(LongStream.range(0, 3).map(i -> sum.rows().row((int) i)))
        .containsExactly(5L, 3L, 8L);
    assertThat(sum.values()).containsExactly(1, 12, 20);
  }
}
