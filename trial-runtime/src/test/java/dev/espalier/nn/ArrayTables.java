package dev.espalier.nn;

import dev.espalier.api.model.Setting;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramContext;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.random.RandomGenerator;

/// The parameters of a network in arrays that a test may change.
public final class ArrayTables implements ProgramContext {
  private final Map<String, Table> tables = new HashMap<>();
  private boolean gradientsKept;
  private boolean productsPreferred;

  public ArrayTables(NetworkSpec spec, Random random) {
    for (NetworkSpec.Parameters parameters : spec.parameters()) {
      var table = new Table(parameters.rows(), parameters.columns());
      for (int i = 0; i < table.values.length; i++) {
        table.values[i] = (float) (0.4 * random.nextGaussian());
      }
      tables.put(parameters.table(), table);
    }
  }

  public float[] values(String table) {
    return tables.get(table).values;
  }

  public float[] gradients(String table) {
    return tables.get(table).gradients;
  }

  /// From now on gradients are not written any more.
  public void keepGradients() {
    gradientsKept = true;
  }

  /// From now on all tables would rather have products of vectors.
  public void preferProducts() {
    productsPreferred = true;
  }

  private final class Table implements ParameterTable {
    private final int rows;
    private final int columns;
    private final float[] values;
    private final float[] gradients;

    Table(int rows, int columns) {
      this.rows = rows;
      this.columns = columns;
      values = new float[rows * columns];
      gradients = new float[rows * columns];
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
    public void read(long[] read, int count, float[] target) {
      throw new UnsupportedOperationException("networks read whole tables");
    }

    @Override
    public void add(long firstRow, int count, float[] source, int offset) {
      if (!gradientsKept) {
        System.arraycopy(source, offset, gradients, (int) firstRow * columns, count * columns);
      }
    }

    @Override
    public boolean prefersProducts(int count, int samples) {
      return productsPreferred;
    }

    @Override
    public void add(long[] added, int count, float[] source) {
      throw new UnsupportedOperationException("networks add whole tables");
    }

    @Override
    public void assign(long firstRow, int count, float[] source, int offset) {
      System.arraycopy(source, offset, values, (int) firstRow * columns, count * columns);
    }
  }

  @Override
  public ParameterTable table(String name) {
    return tables.get(name);
  }

  @Override
  public Setting setting() {
    return Setting.EMPTY;
  }

  @Override
  public int worker() {
    return 0;
  }

  @Override
  public int workers() {
    return 1;
  }

  @Override
  public int[] samples() {
    return new int[0];
  }

  @Override
  public long clock() {
    return 0;
  }

  @Override
  public RandomGenerator random() {
    return new Random(0);
  }
}
