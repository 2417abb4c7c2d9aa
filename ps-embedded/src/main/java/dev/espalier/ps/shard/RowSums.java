package dev.espalier.ps.shard;

import dev.espalier.ps.kernel.LargeArrays;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowSlots;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Adds up the contributions of several workers to one table, in the order of ranks.
///
/// Every row is one sum `((a + b) + c)...` that starts with the first contribution, so the bits do
/// not depend on which of the two ways below is taken or on when contributions arrived. Sums of
/// ranges are made in the array of the first.
final class RowSums {
  private RowSums() {}

  /// Sums contributions.
  ///
  /// @param byRank batches of each worker for one table, lowest rank first; may contain empty lists
  /// @param columns floats per row
  /// @return batches in which every row occurs once
  static List<RowBatch> sum(List<List<RowBatch>> byRank, int columns, RowKernels kernels) {
    List<List<RowBatch>> given = byRank.stream().filter(batches -> !batches.isEmpty()).toList();
    if (given.isEmpty()) {
      return List.of();
    }
    if (given.size() == 1 && isSummed(given.getFirst())) {
      return given.getFirst();
    }
    List<List<RowBatch>> parts =
        given.stream().map(batches -> batches.stream().map(RowBatch::inJvm).toList()).toList();
    return parts.size() > 1 && isSummed(parts.getFirst()) && haveSameRanges(parts)
        ? sumRanges(parts, kernels)
        : sumRows(parts, columns, kernels);
  }

  /// Whether no row can occur twice: a single batch, or ascending ranges.
  private static boolean isSummed(List<RowBatch> batches) {
    if (batches.size() == 1) {
      return true;
    }
    long end = 0;
    for (RowBatch batch : batches) {
      if (!(batch.rows() instanceof RowSelection.Range(long first, int count)) || first < end) {
        return false;
      }
      end = first + count;
    }
    return true;
  }

  private static boolean haveSameRanges(List<List<RowBatch>> parts) {
    List<RowSelection> first = parts.getFirst().stream().map(RowBatch::rows).toList();
    return first.stream().allMatch(RowSelection.Range.class::isInstance)
        && parts.stream().allMatch(p -> p.stream().map(RowBatch::rows).toList().equals(first));
  }

  private static List<RowBatch> sumRanges(List<List<RowBatch>> parts, RowKernels kernels) {
    List<RowBatch> sums = new ArrayList<>();
    for (int b = 0; b < parts.getFirst().size(); b++) {
      RowBatch first = parts.getFirst().get(b);
      for (List<RowBatch> part : parts.subList(1, parts.size())) {
        RowBatch other = part.get(b);
        LargeArrays.add(
            kernels,
            other.array(),
            other.from(),
            first.array(),
            first.from(),
            first.content().count());
      }
      sums.add(first);
    }
    return sums;
  }

  private static List<RowBatch> sumRows(
      List<List<RowBatch>> parts, int columns, RowKernels kernels) {
    List<RowBatch> batches = parts.stream().flatMap(List::stream).toList();
    // Found before there is an array of sums: of rows that all workers send there is only one.
    RowSlots slots = new RowSlots();
    List<int[]> slotsOf = batches.stream().map(batch -> slotsOf(batch.rows(), slots)).toList();
    float[] sums = new float[Math.multiplyExact(slots.size(), columns)];
    int begun = 0;
    for (int b = 0; b < slotsOf.size(); b++) {
      float[] values = batches.get(b).array();
      int from = batches.get(b).from();
      for (int slot : slotsOf.get(b)) {
        if (slot < begun) {
          kernels.add(values, from, sums, slot * columns, columns);
        } else {
          System.arraycopy(values, from, sums, slot * columns, columns);
          begun++;
        }
        from += columns;
      }
    }
    long[] keys = new long[slots.size()];
    Arrays.setAll(keys, slots::row);
    return List.of(new RowBatch(batches.getFirst().table(), new RowSelection.Keys(keys), sums));
  }

  private static int[] slotsOf(RowSelection rows, RowSlots slots) {
    int[] found = new int[rows.count()];
    Arrays.setAll(found, i -> slots.slotOf(rows.row(i)));
    return found;
  }
}
