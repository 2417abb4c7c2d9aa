package dev.espalier.ps.gpu;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.branch.BranchStore;
import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.memory.MemoryBudget;
import dev.espalier.ps.memory.MemoryTier;
import dev.espalier.ps.memory.PagePools;
import dev.espalier.ps.optim.RuleOptions;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.optim.UpdateRule;
import dev.espalier.ps.table.RowRange;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// Measures the device tier against the limits of the device it runs on, in one process.
///
/// Times are those of events on the device's stream around several launches, so what the host does
/// meanwhile counts only where it holds the device up. Each figure is the median of several such
/// measurements. Writes JSON and prints a table.
public final class GpuBenchmark implements AutoCloseable {
  private static final int COLUMNS = 1024;
  private static final int REPEATS = 7;
  private static final int LAUNCHES = 8;
  private static final int COMPILING_CALLS = 500;
  private static final long WARM_UP_NANOS = 100_000_000;

  private final Gpu gpu;
  private final MemoryTier tier;
  private final CudaDriver.Event start;
  private final CudaDriver.Event end;
  private final DeviceRows rows;
  private final Figures figures = new Figures();
  private double copyBytesPerSecond;
  private boolean isCompiled;

  private GpuBenchmark(Gpu gpu) {
    this.gpu = gpu;
    tier = gpu.deviceTier();
    start = gpu.driver().openTimer();
    end = gpu.driver().openTimer();
    rows = new DeviceRows(gpu);
  }

  /// Runs all measurements.
  ///
  /// @param arguments file for the JSON; MiB per array (default 512); the sections to run, all when
  ///   there are none: `copy rules rows bits fork host overlap`
  public static void main(String[] arguments) throws IOException {
    Path file = Path.of(arguments[0]);
    int mebibytes = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 512;
    List<String> sections =
        arguments.length > 2
            ? List.of(arguments).subList(2, arguments.length)
            : List.of("copy", "rules", "rows", "bits", "fork", "host", "overlap");
    try (Gpu gpu = Gpu.open();
        GpuBenchmark benchmark = new GpuBenchmark(gpu)) {
      benchmark.measureLimit((long) mebibytes << 20);
      for (String section : sections) {
        benchmark.run(section, mebibytes);
        Files.writeString(file, benchmark.figures.json(gpu.device().name()));
      }
    }
  }

  private void run(String section, int mebibytes) {
    long floats = (long) mebibytes << 18;
    switch (section) {
      case "copy" -> copies(4 * floats);
      case "rules" -> rules(floats);
      case "rows" -> rowAccess(floats);
      case "bits" -> oneBit(floats);
      case "fork" -> forks(16L * mebibytes << 20);
      case "host" -> hostCopies(4 * floats);
      case "overlap" -> new OverlapBenchmark(gpu, figures).run(4L * mebibytes << 20);
      default -> throw new IllegalArgumentException("section is not known: " + section);
    }
  }

  private interface Work {
    void queue();
  }

  /// Median seconds of one queueing of the work.
  private double seconds(int launches, Work work) {
    double[] seconds = new double[REPEATS];
    // The clocks of an idle device are low and rise with its load.
    for (long begin = System.nanoTime(); System.nanoTime() - begin < WARM_UP_NANOS; ) {
      work.queue();
      gpu.await();
    }
    for (int repeat = -1; repeat < REPEATS; repeat++) {
      gpu.await();
      gpu.driver().record(start, gpu.stream());
      for (int launch = 0; launch < launches; launch++) {
        work.queue();
      }
      gpu.driver().record(end, gpu.stream());
      gpu.driver().await(end);
      if (repeat >= 0) {
        seconds[repeat] = gpu.driver().millis(start, end) / 1e3 / launches;
      }
    }
    return median(seconds);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  /// Random numbers of the host on the device, so that nothing is measured on zeros.
  private long randomFloats(MemoryTier from, long floats, Random random) {
    MemorySegment block = from.allocate(4 * floats);
    int part = (int) Math.min(floats, 1 << 20);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(4L * part);
      for (int i = 0; i < part; i++) {
        host.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
      }
      for (long first = 0; first < floats; first += part) {
        long count = Math.min(part, floats - first);
        from.upload(host.asSlice(0, 4 * count), block, 4 * first);
      }
    }
    return block.address();
  }

  private void moved(String name, double bytes, double seconds) {
    figures.add(name, bytes / seconds / 1e9, "GB/s", bytes / seconds / copyBytesPerSecond, 0.85);
  }

  // ---- the limit

  /// Every other rate is a part of this one, so it is measured whatever sections are wanted.
  private void measureLimit(long bytes) {
    try (MemoryTier blocks = gpu.deviceTier()) {
      long from = randomFloats(blocks, bytes / 4, new Random(1));
      long to = randomFloats(blocks, bytes / 4, new Random(2));
      double seconds = seconds(LAUNCHES, () -> gpu.driver().copy(from, to, bytes, gpu.stream()));
      copyBytesPerSecond = 2 * bytes / seconds;
      figures.add("copy by the driver (limit)", copyBytesPerSecond / 1e9, "GB/s", 1, 0);
    }
  }

  private void copies(long bytes) {
    try (MemoryTier blocks = gpu.deviceTier()) {
      long from = randomFloats(blocks, bytes / 4, new Random(1));
      long to = randomFloats(blocks, bytes / 4, new Random(2));
      for (int pageKibibytes : List.of(256, 1024)) {
        long pageBytes = (long) pageKibibytes << 10;
        int pages = (int) (bytes / pageBytes);
        MemorySegment host = MemorySegment.ofArray(new long[pages * RunWriter.BYTES / 8]);
        RunWriter writer = new RunWriter(host);
        for (long page = 0; page < pages; page++) {
          writer.add(
              from + page * pageBytes, to + page * pageBytes, 0, 0, 0, (int) (pageBytes / 4));
        }
        long runs = uploaded(blocks, host);
        moved(
            "copy %d pages of %d KiB".formatted(pages, pageKibibytes),
            2.0 * bytes,
            seconds(LAUNCHES, () -> rows.kernels().copy(runs, pages, writer.longest())));
        moved(
            "fill %d pages of %d KiB".formatted(pages, pageKibibytes),
            1.0 * bytes,
            seconds(LAUNCHES, () -> rows.kernels().fill(runs, pages, writer.longest(), 1)));
      }
    }
  }

  private long uploaded(MemoryTier to, MemorySegment heap) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(heap.byteSize(), 8);
      host.copyFrom(heap);
      MemorySegment block = to.allocate(heap.byteSize());
      to.upload(host, block, 0);
      return block.address();
    }
  }

  // ---- update rules

  private void rules(long floats) {
    try (MemoryTier blocks = gpu.deviceTier()) {
      long gradients = randomFloats(blocks, floats, new Random(3));
      for (String name : UpdateRule.names()) {
        for (int pageKibibytes :
            name.equals("adam") ? List.of(64, 256, 1024, 4096) : List.of(256, 1024)) {
          rule(floats, gradients, name, pageKibibytes);
        }
      }
    }
  }

  private void rule(long floats, long gradients, String name, int pageKibibytes) {
    RuleOptions options =
        RuleOptions.defaultsOf(name).withWeightDecay(0.01).withPenalties(1e-6, 1e-6);
    UpdateRule rule = UpdateRule.named(name, options);
    PageLayout layout =
        PageLayout.of(
            new RowRange(0, floats / COLUMNS),
            COLUMNS,
            rule.stateArrays(),
            (long) pageKibibytes << 10);
    long planes = layout.planes();
    try (PagePools pools =
        new PagePools(
            gpu.deviceTier(),
            new MemoryBudget(3 * (layout.pageCount() + 64L) * layout.pageBytes()))) {
      BranchStore store = new BranchStore(pools, List.of(layout));
      PageTable pages = store.create(new BranchRef(0)).table(0);
      DeviceRows.Step step = new DeviceRows.Step(rule, new StepSize(1e-3, 0.9), 10, 32);
      // The host, too, is slow at first: until its code is compiled.
      for (int i = isCompiled ? COMPILING_CALLS : 0; i <= COMPILING_CALLS; i++) {
        rows.updateAll(pages, gradients, step);
      }
      isCompiled = true;
      double bytes = (2.0 * planes + 1) * 4 * floats;
      String what = "%s, %d KiB pages".formatted(name, pageKibibytes);
      double inPlace = seconds(LAUNCHES, () -> rows.updateAll(pages, gradients, step));
      moved(what, bytes, inPlace);
      figures.add("seconds of " + what, inPlace, "s", Double.NaN, 0);
      // A branch of its own after every fork: each step of the root is out of place.
      BranchRef[] last = {new BranchRef(1)};
      store.fork(last[0], new BranchRef(0));
      double outOfPlace =
          seconds(
              LAUNCHES,
              () -> {
                rows.updateAll(pages, gradients, step);
                store.free(last[0]);
                last[0] = new BranchRef(last[0].number() + 1);
                store.fork(last[0], new BranchRef(0));
              });
      moved(what + ", each after a fork", bytes, outOfPlace);
    }
  }

  // ---- rows

  private void rowAccess(long floats) {
    gpu.driver().load(Ptx.read(GpuBenchmark.class, "layer.ptx"));
    for (int columns : List.of(10, 16, 32, 64, 100, 128, 1024)) {
      if (Integer.bitCount(columns) == 1) {
        bareRows(4 * floats, columns);
      }
      long all = Long.highestOneBit(4 * floats / columns);
      PageLayout layout = PageLayout.of(new RowRange(0, all), columns, 0, 256 << 10);
      int count = (int) (all / 2);
      try (PagePools pools = new PagePools(gpu.deviceTier(), new MemoryBudget(40 * floats));
          MemoryTier blocks = gpu.deviceTier()) {
        PageTable pages = new BranchStore(pools, List.of(layout)).create(new BranchRef(0)).table(0);
        Random random = new Random(columns);
        DeviceRows.Step step =
            new DeviceRows.Step(
                UpdateRule.named("sgd", RuleOptions.defaults()), StepSize.of(1), 1, 1);
        rows.updateAll(pages, randomFloats(blocks, all * columns, random), step);
        long[] keys = distinct(all, count);
        long keysAddress = uploaded(blocks, MemorySegment.ofArray(keys));
        long values = randomFloats(blocks, (long) count * columns, random);
        DeviceKernels.Table table = rows.tableOf(pages, 0, pages.layout().pageCount());
        long tableAddress = blocks.allocate(8L * layout.pageCount()).address();
        gpu.driver().copy(table.pages(), tableAddress, 8L * layout.pageCount(), gpu.stream());
        DeviceKernels.Table kept =
            new DeviceKernels.Table(tableAddress, layout.rowsPerPage(), columns);
        double rowBytes = 4.0 * columns * count;
        DeviceKernels kernels = rows.kernels();
        moved(
            "gather %d random rows of %d".formatted(count, columns),
            2 * rowBytes + 8.0 * count,
            seconds(LAUNCHES, () -> kernels.gather(kept, keysAddress, count, values)));
        moved(
            "scatter-add %d random rows of %d".formatted(count, columns),
            3 * rowBytes + 8.0 * count,
            seconds(
                LAUNCHES, () -> kernels.scatterAdd(kept, keysAddress, count, values, 0.5f, false)));
        moved(
            "scatter-add %d rows of %d that may repeat".formatted(count, columns),
            3 * rowBytes + 8.0 * count,
            seconds(
                LAUNCHES, () -> kernels.scatterAdd(kept, keysAddress, count, values, 0.5f, true)));
      }
    }
  }

  /// What random rows alone cost: the same number of them without keys and page tables.
  private void bareRows(long floats, int columns) {
    int bits = Long.numberOfTrailingZeros(floats / columns);
    long count = floats / columns / 2;
    try (MemoryTier blocks = gpu.deviceTier()) {
      long table = randomFloats(blocks, floats, new Random(columns));
      CudaDriver.Function bare = gpu.driver().function("bare_rows");
      CudaDriver.Launch launch = gpu.driver().launch();
      for (int writes : List.of(0, 1)) {
        double seconds =
            seconds(
                LAUNCHES,
                () ->
                    launch
                        .reset()
                        .add(table)
                        .add(bits)
                        .add(columns / 4)
                        .add(count)
                        .add(writes)
                        .add(table)
                        .run(bare, new CudaDriver.Grid(1 << 16, 1, 256, 1), gpu.stream()));
        double bytes = (1 + writes) * 4.0 * columns * count;
        figures.add(
            "read%s %d random rows of %d, bare"
                .formatted(writes == 0 ? "" : " and write back", count, columns),
            bytes / seconds / 1e9,
            "GB/s",
            bytes / seconds / copyBytesPerSecond,
            0);
      }
    }
  }

  /// Rows without a pattern, each at most once; `compare.py` makes the same.
  private static long[] distinct(long rows, int count) {
    if (Long.bitCount(rows) != 1) {
      throw new IllegalArgumentException("rows must be a power of two but are " + rows);
    }
    int bits = Long.numberOfTrailingZeros(rows);
    long[] keys = new long[count];
    for (int i = 0; i < count; i++) {
      keys[i] = scattered(i, bits);
    }
    return keys;
  }

  /// A number of so many bits, another one for each: both operations of a round can be undone.
  private static long scattered(long number, int bits) {
    long key = number;
    for (int round = 0; round < 3; round++) {
      key ^= key >>> (bits + 1) / 2;
      key = key * 0x2C1B_3C6D & (1L << bits) - 1;
    }
    return key;
  }

  // ---- 1-bit quantisation

  private void oneBit(long floats) {
    try (MemoryTier blocks = gpu.deviceTier()) {
      long gradient = randomFloats(blocks, floats, new Random(4));
      long residual = randomFloats(blocks, floats, new Random(5));
      long bits = blocks.allocate(floats / 8).address();
      long levels = blocks.allocate(floats / 128).address();
      DeviceKernels kernels = rows.kernels();
      moved(
          "1-bit encode",
          12.0 * floats + floats / 8.0 + floats / 128.0,
          seconds(LAUNCHES, () -> kernels.encodeOneBit(gradient, residual, floats, bits, levels)));
      moved(
          "1-bit decode",
          4.0 * floats + floats / 8.0 + floats / 128.0,
          seconds(LAUNCHES, () -> kernels.decodeOneBit(bits, levels, floats, gradient)));
    }
  }

  // ---- forks

  private void forks(long stateBytes) {
    for (int pageKibibytes : List.of(256, 1024)) {
      PageLayout layout =
          PageLayout.of(
              new RowRange(0, stateBytes / 8 / COLUMNS), COLUMNS, 1, (long) pageKibibytes << 10);
      try (PagePools pools = new PagePools(gpu.deviceTier(), new MemoryBudget(5 * stateBytes / 2));
          MemoryTier blocks = gpu.deviceTier()) {
        long gradients = randomFloats(blocks, stateBytes / 8, new Random(6));
        BranchStore store = new BranchStore(pools, List.of(layout));
        PageTable root = store.create(new BranchRef(0)).table(0);
        DeviceRows.Step step =
            new DeviceRows.Step(
                UpdateRule.named("momentum", RuleOptions.defaults()), StepSize.of(1e-3), 1, 32);
        rows.updateAll(root, gradients, step);
        String what =
            "%.0f GiB in %d KiB pages".formatted(stateBytes / 1073741824.0, pageKibibytes);
        double[][] micros = new double[4][21];
        for (int i = -5; i < 21; i++) {
          BranchRef child = new BranchRef(i + 6);
          gpu.await();
          long begin = System.nanoTime();
          store.fork(child, new BranchRef(0));
          double fork = (System.nanoTime() - begin) / 1e3;
          PageTable pages = store.pagesOf(child).table(0);
          rows.tableOf(pages, 0, pages.layout().pageCount());
          gpu.await();
          double table = (System.nanoTime() - begin) / 1e3;
          double first = millis(() -> rows.updateAll(pages, gradients, step));
          double second = millis(() -> rows.updateAll(pages, gradients, step));
          store.free(child);
          if (i >= 0) {
            micros[0][i] = fork;
            micros[1][i] = table;
            micros[2][i] = first;
            micros[3][i] = second;
          }
        }
        figures.add("fork of " + what, median(micros[0]), "us", median(micros[0]) / 1e3, -1);
        figures.add(
            "fork and page table on the device, " + what,
            median(micros[1]),
            "us",
            median(micros[1]) / 1e3,
            -1);
        figures.add("first clock after it, " + what, median(micros[2]), "ms", Double.NaN, 0);
        figures.add(
            "next clock, " + what,
            median(micros[3]),
            "ms",
            median(micros[2]) / median(micros[3]),
            0);
      }
    }
  }

  private double millis(Work work) {
    gpu.await();
    gpu.driver().record(start, gpu.stream());
    work.queue();
    gpu.driver().record(end, gpu.stream());
    gpu.driver().await(end);
    return gpu.driver().millis(start, end);
  }

  // ---- host and device

  private void hostCopies(long bytes) {
    try (MemoryTier pinnedTier = gpu.pinnedTier();
        MemoryTier blocks = gpu.deviceTier();
        Arena arena = Arena.ofConfined()) {
      long device = randomFloats(blocks, bytes / 4, new Random(7));
      long other = randomFloats(blocks, bytes / 4, new Random(8));
      MemorySegment pageable = arena.allocate(bytes).fill((byte) 1);
      MemorySegment pinned = pinnedTier.allocate(bytes).fill((byte) 1);
      MemorySegment alsoPinned = pinnedTier.allocate(bytes).fill((byte) 1);
      CudaDriver driver = gpu.driver();
      double in = seconds(1, () -> driver.copyIn(pinned, device, gpu.stream()));
      double out = seconds(1, () -> driver.copyOut(device, pinned, gpu.stream()));
      figures.add("pinned host to device", bytes / in / 1e9, "GB/s", Double.NaN, 0);
      figures.add("device to pinned host", bytes / out / 1e9, "GB/s", Double.NaN, 0);
      double pageableIn = seconds(1, () -> driver.copyIn(pageable, device, gpu.stream()));
      double pageableOut = seconds(1, () -> driver.copyOut(device, pageable, gpu.stream()));
      figures.add("pageable host to device", bytes / pageableIn / 1e9, "GB/s", in / pageableIn, 0);
      figures.add(
          "device to pageable host", bytes / pageableOut / 1e9, "GB/s", out / pageableOut, 0);
      CudaDriver.Stream second = driver.openStream();
      CudaDriver.Event done = driver.openEvent();
      double both =
          seconds(
              1,
              () -> {
                driver.await(second, start);
                driver.copyOut(other, alsoPinned, second);
                driver.record(done, second);
                driver.copyIn(pinned, device, gpu.stream());
                driver.await(gpu.stream(), done);
              });
      figures.add("both ways at once", 2 * bytes / both / 1e9, "GB/s", (in + out) / both, 0);
      driver.close(done);
      driver.close(second);
    }
  }

  @Override
  public void close() {
    gpu.driver().close(start);
    gpu.driver().close(end);
    rows.close();
    tier.close();
  }
}
