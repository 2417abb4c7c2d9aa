package dev.espalier.bench.jmh;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.branch.BranchStore;
import dev.espalier.ps.branch.HeldRows;
import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.memory.MemoryBudget;
import dev.espalier.ps.memory.PagePools;
import dev.espalier.ps.table.RowRange;
import dev.espalier.ps.table.RowSelection;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Microseconds in which a sender copies rows of 128 bytes that lie apart to where a socket takes
/// them.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class HeldRowsBenchmark {
  private static final int ROWS = 200_000;
  private static final int COLUMNS = 32;
  private static final long PAGE_BYTES = 64 << 10;
  private static final int STEP_BYTES = 512 << 10;

  /// How many of 200,000 rows.
  @Param({"10000", "100000"})
  public int rows;

  private final RowKernels kernels = RowKernelsProvider.best();
  private final MemorySegment to = MemorySegment.ofBuffer(ByteBuffer.allocateDirect(STEP_BYTES));
  private final PageLayout layout = PageLayout.of(new RowRange(0, ROWS), COLUMNS, 0, PAGE_BYTES);
  private final PagePools pools = new PagePools(new MemoryBudget(64 << 20));
  private final BranchStore store = new BranchStore(pools, List.of(layout));
  private HeldRows held = open();

  private HeldRows open() {
    store.create(new BranchRef(0));
    return HeldRows.of(table(), new RowSelection.Keys(new long[0]));
  }

  private PageTable table() {
    return store.pagesOf(new BranchRef(0)).table(0);
  }

  /// Chooses the rows.
  @Setup(Level.Trial)
  public void hold() {
    for (int page = 0; page < layout.pageCount(); page++) {
      table().owned(page).segment().fill((byte) 1);
    }
    long[] keys = new Random(rows).longs(0, ROWS).distinct().limit(rows).sorted().toArray();
    held = HeldRows.of(table(), new RowSelection.Keys(keys));
  }

  /// Frees the pages.
  @TearDown(Level.Trial)
  public void free() {
    held.release();
    pools.close();
  }

  /// Copies all rows, as many at a time as there is room for.
  @Benchmark
  public void copy() {
    for (long done = 0; done < held.bytes(); done += STEP_BYTES) {
      held.copy(kernels, done, to, 0, Math.min(STEP_BYTES, held.bytes() - done));
    }
  }
}
