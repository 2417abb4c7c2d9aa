package dev.espalier.bench;

import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TableDeclaration;
import java.util.LinkedHashMap;
import java.util.Map;

/// A program's tables as plain arrays with plain gradient steps: what a clock costs without a
/// parameter server.
final class ArrayTables {
  private final Map<String, Table> tables = new LinkedHashMap<>();

  ArrayTables(ProgramShape shape) {
    shape.tables().forEach(declared -> tables.put(declared.name(), new Table(declared)));
  }

  ParameterTable table(String name) {
    Table table = tables.get(name);
    if (table == null) {
      throw new IllegalArgumentException("there is no table " + name);
    }
    return table;
  }

  /// Steps against the mean of the gradients that were added since the last call.
  void endClock(double learningRate, int samples) {
    tables.values().forEach(table -> table.step((float) (learningRate / Math.max(1, samples))));
  }

  private static final class Table implements ParameterTable {
    private final long rows;
    private final int columns;
    private final float[] values;
    private final float[] gradients;
    private final boolean[] isTouched;
    private final int[] touched;
    private int touchedCount;

    Table(TableDeclaration declared) {
      rows = declared.rows();
      columns = declared.columns();
      int size = Math.toIntExact(rows * columns);
      values = new float[size];
      gradients = new float[size];
      isTouched = new boolean[Math.toIntExact(rows)];
      touched = new int[Math.toIntExact(rows)];
    }

    @Override
    public long rows() {
      return rows;
    }

    @Override
    public int columns() {
      return columns;
    }

    @Override
    public void read(long firstRow, int count, float[] target, int offset) {
      System.arraycopy(values, (int) firstRow * columns, target, offset, count * columns);
    }

    @Override
    public void read(long[] wanted, int count, float[] target) {
      for (int i = 0; i < count; i++) {
        read(wanted[i], 1, target, i * columns);
      }
    }

    @Override
    public void add(long firstRow, int count, float[] sums, int offset) {
      int from = (int) firstRow * columns;
      for (int i = 0; i < count * columns; i++) {
        gradients[from + i] += sums[offset + i];
      }
      for (int row = (int) firstRow; row < firstRow + count; row++) {
        if (!isTouched[row]) {
          isTouched[row] = true;
          touched[touchedCount++] = row;
        }
      }
    }

    @Override
    public void add(long[] given, int count, float[] sums) {
      for (int i = 0; i < count; i++) {
        add(given[i], 1, sums, i * columns);
      }
    }

    @Override
    public void assign(long firstRow, int count, float[] initial, int offset) {
      System.arraycopy(initial, offset, values, (int) firstRow * columns, count * columns);
    }

    private void step(float rate) {
      for (int i = 0; i < touchedCount; i++) {
        int from = touched[i] * columns;
        for (int place = from; place < from + columns; place++) {
          values[place] -= rate * gradients[place];
          gradients[place] = 0;
        }
        isTouched[touched[i]] = false;
      }
      touchedCount = 0;
    }
  }
}
