package dev.espalier.programs;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TableDeclaration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/* Parameter tables in the memory of one process, with the plain form of the update rules.
 *
 * The gradient sums of all workers are collected, divided by the clock's samples and applied at
 * the end of the clock to the rows that were added to, as the parameter server does.
 */
final class LocalTables {
  private final Map<String, Table> tables = new LinkedHashMap<>();
  private boolean initialising;

  LocalTables(ProgramShape shape) {
    for (TableDeclaration declaration : shape.tables()) {
      tables.put(declaration.name(), new Table(declaration));
    }
  }

  ParameterTable table(String name) {
    Table table = tables.get(name);
    if (table == null) {
      throw new IllegalArgumentException("the program declared no table " + name);
    }
    return table;
  }

  void initialise(Runnable assignments) {
    initialising = true;
    assignments.run();
    initialising = false;
  }

  /// Applies what was added since the last call.
  void endClock(Setting setting, int samples) {
    tables.values().forEach(table -> table.step(setting, samples));
  }

  /// {@return a copy of all parameters by table}
  Map<String, float[]> parameters() {
    var copy = new TreeMap<String, float[]>();
    tables.forEach((name, table) -> copy.put(name, table.values.clone()));
    return copy;
  }

  /// {@return the gradient sums added since the last clock ended, by table}
  Map<String, float[]> gradients() {
    var copy = new TreeMap<String, float[]>();
    tables.forEach((name, table) -> copy.put(name, table.gradients.clone()));
    return copy;
  }

  int mostRowsRead(String table) {
    return tables.get(table).mostRowsRead;
  }

  void set(String table, int index, float value) {
    tables.get(table).values[index] = value;
  }

  void clearGradients() {
    tables.values().forEach(Table::clearGradients);
  }

  private final class Table implements ParameterTable {
    private final TableDeclaration declaration;
    private final float[] values;
    private final float[] gradients;
    private final float[] first;
    private final float[] second;
    private final boolean[] added;
    private final int[] rowSteps;
    private int mostRowsRead;

    Table(TableDeclaration declaration) {
      this.declaration = declaration;
      int size = Math.toIntExact(declaration.rows() * declaration.columns());
      values = new float[size];
      gradients = new float[size];
      first = new float[size];
      second = new float[size];
      added = new boolean[(int) declaration.rows()];
      rowSteps = new int[(int) declaration.rows()];
    }

    @Override
    public long rows() {
      return declaration.rows();
    }

    @Override
    public int columns() {
      return declaration.columns();
    }

    @Override
    public void read(long firstRow, int count, float[] target, int offset) {
      mostRowsRead = Math.max(mostRowsRead, count);
      System.arraycopy(values, (int) firstRow * columns(), target, offset, count * columns());
    }

    @Override
    public void read(long[] rows, int count, float[] target) {
      mostRowsRead = Math.max(mostRowsRead, count);
      for (int i = 0; i < count; i++) {
        read(rows[i], 1, target, i * columns());
      }
    }

    @Override
    public void add(long firstRow, int count, float[] source, int offset) {
      int from = (int) firstRow * columns();
      for (int i = 0; i < count * columns(); i++) {
        gradients[from + i] += source[offset + i];
      }
      for (int row = (int) firstRow; row < firstRow + count; row++) {
        added[row] = true;
      }
    }

    @Override
    public void add(long[] rows, int count, float[] source) {
      for (int i = 0; i < count; i++) {
        add(rows[i], 1, source, i * columns());
      }
    }

    @Override
    public void assign(long firstRow, int count, float[] source, int offset) {
      if (!initialising) {
        throw new IllegalStateException("assign is for initialise only");
      }
      System.arraycopy(source, offset, values, (int) firstRow * columns(), count * columns());
    }

    private void clearGradients() {
      Arrays.fill(gradients, 0f);
      Arrays.fill(added, false);
    }

    private void step(Setting setting, int samples) {
      float rate = (float) setting.value(Tunable.LEARNING_RATE);
      float momentum = (float) setting.valueOr(Tunable.MOMENTUM, 0.9);
      for (int row = 0; row < added.length; row++) {
        if (added[row]) {
          rowSteps[row]++;
          int from = row * columns();
          for (int i = from; i < from + columns(); i++) {
            float divisor = declaration.rule().equals("add") ? 1 : samples;
            stepValue(i, gradients[i] / divisor, rate, momentum, rowSteps[row]);
          }
        }
      }
      clearGradients();
    }

    private void stepValue(int i, float g, float rate, float momentum, int step) {
      switch (declaration.rule()) {
        case "add" -> values[i] += g;
        case "sgd" -> values[i] -= rate * g;
        case "momentum" -> {
          first[i] = momentum * first[i] - rate * g;
          values[i] += first[i];
        }
        case "adagrad" -> {
          first[i] += g * g;
          values[i] -= rate * g / ((float) Math.sqrt(first[i]) + 1e-8f);
        }
        case "adarevision" -> {
          float z0 = option("initialAccumulator", 1);
          first[i] += g * g;
          values[i] -= rate * g / (float) Math.sqrt(z0 + first[i]);
        }
        case "adam", "adamw" -> {
          first[i] = momentum * first[i] + (1 - momentum) * g;
          second[i] = 0.999f * second[i] + 0.001f * g * g;
          double m = first[i] / (1 - Math.pow(momentum, step));
          double v = second[i] / (1 - Math.pow(0.999, step));
          values[i] *= 1 - rate * option("weightDecay", 0);
          values[i] -= (float) (rate * m / (Math.sqrt(v) + 1e-8));
        }
        case "proximal-sgd" -> values[i] = shrunk(values[i] - rate * g, rate);
        case "proximal-adagrad" -> {
          first[i] += g * g;
          float h = rate / ((float) Math.sqrt(first[i]) + 1e-8f);
          values[i] = shrunk(values[i] - h * g, h);
        }
        default ->
            throw new IllegalArgumentException("no plain form of the rule " + declaration.rule());
      }
    }

    private float shrunk(float u, float h) {
      float l1 = option("l1", 0);
      return Math.signum(u) * Math.max(Math.abs(u) - h * l1, 0);
    }

    private float option(String name, double otherwise) {
      return declaration.options().getOrDefault(name, otherwise).floatValue();
    }
  }
}
