package dev.espalier.bench.ps;

import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.table.TableSpec;
import java.util.List;

/// Rows in plain arrays, without branches, clocks or other workers: what a program's own loads and
/// stores cost, which no parameter server can be faster than.
final class ArrayRows implements RowSweep.Rows {
  private final int[] columns;
  private final float[][] values;
  private final float[][] sums;

  ArrayRows(List<TableSpec> tables) {
    columns = tables.stream().mapToInt(TableSpec::columns).toArray();
    values = tables.stream().map(ArrayRows::zeros).toArray(float[][]::new);
    sums = tables.stream().map(ArrayRows::zeros).toArray(float[][]::new);
  }

  private static float[] zeros(TableSpec table) {
    return new float[Math.toIntExact(table.rows() * table.columns())];
  }

  @Override
  public void read(int table, long row, float[] target) {
    int width = columns[table];
    int from = (int) row * width;
    for (int k = 0; k < width; k++) {
      target[k] = values[table][from + k];
    }
  }

  @Override
  public void add(int table, long row, float[] added) {
    int width = columns[table];
    int to = (int) row * width;
    for (int k = 0; k < width; k++) {
      sums[table][to + k] += added[k];
    }
  }

  /// Ends the clock.
  void tick(StepSize stepSize) {
    float rate = (float) stepSize.learningRate();
    for (int table = 0; table < values.length; table++) {
      for (int i = 0; i < values[table].length; i++) {
        values[table][i] -= rate * sums[table][i];
        sums[table][i] = 0;
      }
    }
  }
}
