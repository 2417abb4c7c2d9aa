package dev.espalier.bench.jmh;

import dev.espalier.sdk.OpenRows;
import dev.espalier.sdk.ParameterTable;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// Microseconds to open copies of rows, find each of them four times, and close them.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class FetchedRowsBenchmark {
  private static final int ROWS = 1 << 18;
  private static final int COLUMNS = 16;
  private static final int USES = 4;

  /// Rows that are fetched: those of a block of a probe, of a clock, and all.
  @Param({"16", "4096", "262144"})
  public int fetched;

  private ParameterTable table = new Empty();
  private long[] rows = {};
  private int[] uses = {};
  private long[] positions = {};

  /// Draws the rows.
  @Setup(Level.Trial)
  public void draw() {
    var random = new SplittableRandom(1);
    table = new Empty();
    rows = random.longs(0, ROWS).distinct().limit(fetched).sorted().toArray();
    uses = random.ints((long) USES * fetched, 0, fetched).map(i -> (int) rows[i]).toArray();
    positions = new long[uses.length];
  }

  /// {@return a position, so that finding is not left out}
  @Benchmark
  public long openAndFind() {
    try (OpenRows open = table.open(() -> rows)) {
      open.find(uses, 0, uses.length, positions);
      return positions[uses.length - 1];
    }
  }

  /// Reading and adding cost nothing here: what is left is the opening.
  private static final class Empty implements ParameterTable {
    @Override
    public long rows() {
      return ROWS;
    }

    @Override
    public int columns() {
      return COLUMNS;
    }

    @Override
    public void read(long firstRow, int count, float[] values, int offset) {}

    @Override
    public void read(long[] rows, int count, float[] values) {}

    @Override
    public void add(long firstRow, int count, float[] gradients, int offset) {}

    @Override
    public void add(long[] rows, int count, float[] gradients) {}

    @Override
    public void assign(long firstRow, int count, float[] values, int offset) {}
  }
}
