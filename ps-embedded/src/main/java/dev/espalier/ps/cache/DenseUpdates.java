package dev.espalier.ps.cache;

import dev.espalier.ps.kernel.LargeArrays;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.table.ArraySource;
import dev.espalier.ps.table.CutArray;
import dev.espalier.ps.table.PageSource;
import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowRange;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowValues;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// [TableUpdates] in one array as large as the table. Where all rows were added to, it leaves as it
/// is, and another one takes its place.
final class DenseUpdates implements TableUpdates {
  /// From so many runs of touched rows on, rows are sent by number.
  private static final int MAX_RUNS = 8;

  private final int table;
  private final int columns;
  private final RowKernels kernels;
  private final ArraySource arrays;
  private final PageSource pages;

  /// Null until the first addition, and when the array before has left.
  private float @Nullable [] sums;

  private final boolean[] touchedRows;
  private int touchedCount;
  private boolean isTouched;

  /// Where the sums of the clock lie in place of `sums`.
  private RowValues.@Nullable InPages inPages;

  /// @param arrays gives arrays of a length, with whatever content
  /// @param pages gives pages for sums that had better lie there
  DenseUpdates(
      int table, TableSpec spec, RowKernels kernels, ArraySource arrays, PageSource pages) {
    this.arrays = arrays;
    this.pages = pages;
    this.table = table;
    this.columns = spec.columns();
    this.kernels = kernels;
    if (spec.rows() > Integer.MAX_VALUE / spec.columns()) {
      throw new IllegalArgumentException(
          "a dense table must have at most %d floats but '%s' has %d rows of %d"
              .formatted(Integer.MAX_VALUE, spec.name(), spec.rows(), spec.columns()));
    }
    int rows = (int) spec.rows();
    touchedRows = new boolean[rows];
  }

  @Override
  public void add(long first, int count, float[] values, int offset) {
    isTouched = true;
    int from = (int) first;
    if (touchedCount == 0 && count == touchedRows.length) {
      inPages = pages.take(table, count).orElse(null);
      if (inPages != null) {
        inPages.set(0, count, values, offset);
        touchedCount = count;
        return;
      }
    }
    if (inPages != null) {
      inPages.add(from, count, values, offset);
      return;
    }
    float[] sums = sums();
    if (touchedCount == 0) {
      LargeArrays.copy(values, offset, sums, from * columns, count * columns);
      Arrays.fill(touchedRows, from, from + count, true);
      touchedCount = count;
    } else if (touchedCount == touchedRows.length) {
      LargeArrays.add(kernels, values, offset, sums, from * columns, count * columns);
    } else {
      for (int i = 0; i < count; i++) {
        addRow(from + i, values, offset + i * columns);
      }
    }
  }

  private float[] sums() {
    float[] known = sums;
    if (known == null) {
      known = arrays.take(touchedRows.length * columns);
      sums = known;
    }
    return known;
  }

  @Override
  public void add(long[] rows, int count, float[] values) {
    isTouched = true;
    for (int i = 0; i < count; i++) {
      addRow((int) rows[i], values, i * columns);
    }
  }

  private void addRow(int row, float[] values, int offset) {
    if (inPages != null) {
      inPages.add(row, 1, values, offset);
      return;
    }
    float[] sums = sums();
    if (touchedRows[row]) {
      kernels.add(values, offset, sums, row * columns, columns);
    } else {
      System.arraycopy(values, offset, sums, row * columns, columns);
      touchedRows[row] = true;
      touchedCount++;
    }
  }

  @Override
  public boolean isTouched() {
    return isTouched;
  }

  @Override
  public List<List<RowBatch>> batches(Partitioner partitioner) {
    if (inPages != null) {
      // Of a single shard, which is in this process.
      var all = new RowSelection.Range(0, touchedRows.length);
      return List.of(List.of(new RowBatch(table, all, inPages)));
    }
    List<List<RowBatch>> byShard = new ArrayList<>();
    CutArray whole = touchedCount == touchedRows.length ? new CutArray(sums(), arrays) : null;
    for (int shard = 0; shard < partitioner.shards(); shard++) {
      RowRange range = partitioner.rangeOf(shard);
      byShard.add(whole == null ? batchesOf(range) : partOf(whole, range));
    }
    if (whole != null) {
      whole.end();
      sums = null;
    }
    return byShard;
  }

  private List<RowBatch> partOf(CutArray whole, RowRange range) {
    int from = (int) range.first() * columns;
    int count = (int) range.count() * columns;
    return count == 0
        ? List.of()
        : List.of(
            new RowBatch(
                table,
                new RowSelection.Range(range.first(), (int) range.count()),
                whole.part(from, count)));
  }

  private List<RowBatch> batchesOf(RowRange range) {
    List<RowRange> runs = runsOf(range);
    if (runs.size() <= MAX_RUNS) {
      return runs.stream().map(this::batchOf).toList();
    }
    long[] keys = new long[runs.stream().mapToInt(run -> (int) run.count()).sum()];
    float[] values = new float[keys.length * columns];
    int slot = 0;
    for (RowRange run : runs) {
      int count = (int) run.count();
      System.arraycopy(
          sums(), (int) run.first() * columns, values, slot * columns, count * columns);
      for (int i = 0; i < count; i++) {
        keys[slot++] = run.first() + i;
      }
    }
    return List.of(new RowBatch(table, new RowSelection.Keys(keys), values));
  }

  private RowBatch batchOf(RowRange run) {
    return new RowBatch(
        table,
        new RowSelection.Range(run.first(), (int) run.count()),
        Arrays.copyOfRange(sums(), (int) run.first() * columns, (int) run.end() * columns));
  }

  private List<RowRange> runsOf(RowRange range) {
    List<RowRange> runs = new ArrayList<>();
    int row = (int) range.first();
    while (row < range.end()) {
      if (!touchedRows[row]) {
        row++;
        continue;
      }
      int first = row;
      while (row < range.end() && touchedRows[row]) {
        row++;
      }
      runs.add(new RowRange(first, row));
    }
    return runs;
  }

  @Override
  public void drop() {
    if (inPages != null) {
      inPages.release();
    }
    clear();
  }

  @Override
  public void clear() {
    Arrays.fill(touchedRows, false);
    touchedCount = 0;
    isTouched = false;
    inPages = null;
  }
}
