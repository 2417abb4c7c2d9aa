package dev.espalier.ps.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.ps.branch.BranchPages;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.branch.BranchStore;
import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.kernel.ScalarRowKernels;
import dev.espalier.ps.kernel.StepSpan;
import dev.espalier.ps.memory.MemoryBudget;
import dev.espalier.ps.memory.Page;
import dev.espalier.ps.memory.PagePools;
import dev.espalier.ps.optim.RuleOptions;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.optim.UpdateRule;
import dev.espalier.ps.table.RowRange;
import dev.espalier.ps.table.RowSelection;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Tables on the device against plain arrays that [ScalarRowKernels] steps: the same bits.
final class DeviceRowsTest {
  private static final long FIRST_ROW = 5;
  private static final float[] SPECIAL = {
    0f,
    -0f,
    Float.NaN,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.MIN_VALUE,
    -Float.MIN_VALUE,
    Float.MIN_NORMAL / 2,
    Float.MAX_VALUE,
    -Float.MAX_VALUE,
    1e-30f,
    0.05f
  };

  private Gpu gpu;
  private DeviceRows rows;

  @BeforeEach
  void open() {
    gpu = TestDevice.open();
    rows = new DeviceRows(gpu);
  }

  @AfterEach
  void close() {
    if (rows != null) {
      rows.close();
      gpu.close();
    }
  }

  /// A table of one branch as plain arrays, plane after plane.
  private static final class Plain {
    final int columns;
    final int count;
    final int planes;
    final float[] values;

    Plain(int columns, int count, int planes, float[] values) {
      this.columns = columns;
      this.count = count;
      this.planes = planes;
      this.values = values;
    }

    Plain fork() {
      return new Plain(columns, count, planes, values.clone());
    }

    float[] read(RowSelection selection) {
      float[] read = new float[selection.count() * columns];
      for (int i = 0; i < selection.count(); i++) {
        System.arraycopy(values, at(selection.row(i)), read, i * columns, columns);
      }
      return read;
    }

    void assign(RowSelection selection, float[] given) {
      for (int i = 0; i < selection.count(); i++) {
        System.arraycopy(given, i * columns, values, at(selection.row(i)), columns);
      }
    }

    void step(RowSelection selection, float[] gradients, DeviceRows.Step step, Plain seen) {
      for (int i = 0; i < selection.count(); i++) {
        step.rule()
            .step(
                new ScalarRowKernels(),
                new StepSpan(
                    segment(),
                    segment(),
                    4L * at(selection.row(i)),
                    4L * count * columns,
                    gradients,
                    i * columns,
                    step.divisor(),
                    columns,
                    seen == null ? null : seen.segment()),
                step.stepSize(),
                step.number());
      }
    }

    private int at(long row) {
      return (int) (row - FIRST_ROW) * columns;
    }

    private MemorySegment segment() {
      return MemorySegment.ofArray(values);
    }
  }

  private record Shape(int rows, int columns, int pageBytes) {}

  private static List<Shape> shapes() {
    return List.of(
        new Shape(1, 1, 4096),
        new Shape(1, 3, 4096),
        new Shape(5, 4, 4096),
        new Shape(300, 7, 4096),
        new Shape(150, 64, 8192),
        new Shape(257, 10, 4096),
        new Shape(3, 5000, 4096),
        new Shape(2000, 1, 4096));
  }

  private static float value(Random random, boolean special) {
    return special && random.nextInt(4) == 0
        ? SPECIAL[random.nextInt(SPECIAL.length)]
        : (float) random.nextGaussian();
  }

  private static float[] values(Random random, int length, boolean special) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = value(random, special);
    }
    return values;
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToIntBits(values[i]);
    }
    return bits;
  }

  private static void assertSameBits(String what, float[] actual, float[] expected) {
    assertThat(Arrays.mismatch(bits(actual), bits(expected))).as(what).isEqualTo(-1);
  }

  /// Everything a table holds on the device, plane after plane.
  private float[] download(PageTable pages) {
    PageLayout layout = pages.layout();
    int count = (int) layout.range().count();
    float[] all = new float[layout.planes() * count * layout.columns()];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment plane = arena.allocate(layout.planeBytes());
      for (int index = 0; index < layout.pageCount(); index++) {
        int first = (int) (layout.firstRowOf(index) - layout.range().first());
        int length = (int) (layout.endRowOf(index) - layout.firstRowOf(index)) * layout.columns();
        for (int p = 0; p < layout.planes(); p++) {
          pages.page(index).download(p * layout.planeBytes(), plane);
          MemorySegment.copy(
              plane,
              ValueLayout.JAVA_FLOAT,
              0,
              all,
              (p * count + first) * layout.columns(),
              length);
        }
      }
    }
    return all;
  }

  private static RowSelection someRows(Random random, Shape shape) {
    long[] keys = LongStream.range(FIRST_ROW, FIRST_ROW + shape.rows()).toArray();
    for (int i = keys.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      long swap = keys[i];
      keys[i] = keys[j];
      keys[j] = swap;
    }
    keys = Arrays.copyOf(keys, 1 + random.nextInt(keys.length));
    if (random.nextBoolean()) {
      Arrays.sort(keys);
    }
    return new RowSelection.Keys(keys);
  }

  private static RowSelection someRange(Random random, Shape shape) {
    int first = random.nextInt(shape.rows());
    return new RowSelection.Range(FIRST_ROW + first, 1 + random.nextInt(shape.rows() - first));
  }

  private static RowSelection anySelection(Random random, Shape shape) {
    return switch (random.nextInt(3)) {
      case 0 -> someRows(random, shape);
      case 1 -> someRange(random, shape);
      default -> new RowSelection.Range(FIRST_ROW, shape.rows());
    };
  }

  static List<String> rules() {
    return UpdateRule.names();
  }

  @ParameterizedTest
  @MethodSource("rules")
  void everyRuleGivesTheBitsOfTheHostOnAnyBranch(String name) {
    RuleOptions options =
        RuleOptions.defaultsOf(name).withWeightDecay(0.01).withPenalties(0.05, 0.25);
    UpdateRule rule = UpdateRule.named(name, options);
    for (Shape shape : shapes()) {
      for (long seed = 0; seed < 4; seed++) {
        new Walk(shape, rule, seed).run();
      }
    }
  }

  /// A random sequence of forks, frees, reads, assignments and steps.
  private final class Walk {
    final Shape shape;
    final UpdateRule rule;
    final Random random;
    final boolean special;
    final String what;
    final Map<Integer, Plain> plain = new HashMap<>();
    int next = 1;

    Walk(Shape shape, UpdateRule rule, long seed) {
      this.shape = shape;
      this.rule = rule;
      random = new Random(seed);
      special = seed % 2 == 1;
      what = "%s, %s, seed %d".formatted(rule.name(), shape, seed);
    }

    void run() {
      PageLayout layout =
          PageLayout.of(
              new RowRange(FIRST_ROW, FIRST_ROW + shape.rows()),
              shape.columns(),
              rule.stateArrays(),
              shape.pageBytes());
      try (PagePools pools = new PagePools(gpu.deviceTier(), new MemoryBudget(64 << 20))) {
        BranchStore store = new BranchStore(pools, List.of(layout));
        store.create(new BranchRef(0));
        int floats = layout.planes() * shape.rows() * shape.columns();
        plain.put(0, new Plain(shape.columns(), shape.rows(), layout.planes(), new float[floats]));
        for (int i = 0; i < 12; i++) {
          act(store);
        }
        plain.forEach((branch, expected) ->
            assertSameBits(
                "%s, branch %d".formatted(what, branch),
                download(store.pagesOf(new BranchRef(branch)).table(0)),
                expected.values));
        plain.keySet().forEach(branch -> store.free(new BranchRef(branch)));
        assertThat(pools.pagesInUse()).as(what).isZero();
      }
    }

    private void act(BranchStore store) {
      List<Integer> living = List.copyOf(plain.keySet());
      int branch = living.get(random.nextInt(living.size()));
      PageTable pages = store.pagesOf(new BranchRef(branch)).table(0);
      Plain mine = plain.get(branch);
      switch (random.nextInt(6)) {
        case 0 -> {
          store.fork(new BranchRef(next), new BranchRef(branch));
          plain.put(next++, mine.fork());
        }
        case 1 -> {
          RowSelection selection = anySelection(random, shape);
          float[] read = new float[selection.count() * shape.columns()];
          rows.read(pages, selection, read);
          assertSameBits(what, read, mine.read(selection));
        }
        case 2 -> {
          RowSelection selection = anySelection(random, shape);
          float[] given = values(random, selection.count() * shape.columns(), special);
          rows.assign(pages, selection, given);
          mine.assign(selection, given);
        }
        case 3 -> stepAll(pages, mine);
        default -> {
          RowSelection selection = anySelection(random, shape);
          float[] gradients = values(random, selection.count() * shape.columns(), special);
          DeviceRows.Step step = step();
          // What a worker had seen is another branch's version here, to be different.
          int other = living.get(random.nextInt(living.size()));
          PageTable seen = store.pagesOf(new BranchRef(other)).table(0);
          boolean looksBack = rule.looksBack() && other != branch;
          Plain seenPlain = looksBack ? plain.get(other).fork() : null;
          rows.update(
              pages, selection, gradients, step, page -> looksBack ? seen.page(page).address() : 0);
          mine.step(selection, gradients, step, seenPlain);
        }
      }
    }

    private void stepAll(PageTable pages, Plain mine) {
      RowSelection all = new RowSelection.Range(FIRST_ROW, shape.rows());
      float[] gradients = values(random, shape.rows() * shape.columns(), special);
      DeviceRows.Step step = step();
      try (var tier = gpu.deviceTier();
          Arena arena = Arena.ofConfined()) {
        MemorySegment device = tier.allocate(4L * gradients.length);
        tier.upload(arena.allocateFrom(ValueLayout.JAVA_FLOAT, gradients), device, 0);
        rows.updateAll(pages, device.address(), step);
      }
      mine.step(all, gradients, step, null);
    }

    private DeviceRows.Step step() {
      double momentum = random.nextBoolean() ? Double.NaN : 0.5;
      return new DeviceRows.Step(
          rule, new StepSize(0.1, momentum), 1 + random.nextInt(5), 1 + random.nextInt(7));
    }
  }

  @Test
  void aForkTakesNoPageAndAStepOfASharedPageTakesOne() {
    PageLayout layout = PageLayout.of(new RowRange(0, 64), 64, 1, 4096);
    try (PagePools pools = new PagePools(gpu.deviceTier(), new MemoryBudget(16 << 20))) {
      BranchStore store = new BranchStore(pools, List.of(layout));
      BranchPages root = store.create(new BranchRef(0));
      float[] gradients = new float[64 * 64];
      Arrays.fill(gradients, 1);
      DeviceRows.Step step =
          new DeviceRows.Step(
              UpdateRule.named("momentum", RuleOptions.defaults()), StepSize.of(0.1), 1, 1);
      rows.update(root.table(0), new RowSelection.Range(0, 64), gradients, step, _ -> 0);
      long before = pools.pagesInUse();
      store.fork(new BranchRef(1), new BranchRef(0));
      assertThat(pools.pagesInUse()).isEqualTo(before);
      PageTable child = store.pagesOf(new BranchRef(1)).table(0);
      rows.update(child, new RowSelection.Keys(new long[] {3}), new float[64], step, _ -> 0);
      assertThat(pools.pagesInUse()).isEqualTo(before + 1);
      Page own = child.page(0);
      rows.update(child, new RowSelection.Keys(new long[] {3}), new float[64], step, _ -> 0);
      assertThat(child.page(0)).isSameAs(own);
      assertThatThrownBy(own::segment)
          .hasMessage("tier of the page must be HOST or PINNED but is DEVICE");
      store.free(new BranchRef(0));
      store.free(new BranchRef(1));
      assertThat(pools.pagesInUse()).isZero();
    }
  }

  @Test
  void aFullBudgetIsReportedWithItsNumbers() {
    PageLayout layout = PageLayout.of(new RowRange(0, 64), 64, 1, 4096);
    try (PagePools pools = new PagePools(gpu.deviceTier(), new MemoryBudget(5 * 4096))) {
      BranchStore store = new BranchStore(pools, List.of(layout));
      PageTable pages = store.create(new BranchRef(0)).table(0);
      DeviceRows.Step step =
          new DeviceRows.Step(
              UpdateRule.named("momentum", RuleOptions.defaults()), StepSize.of(0.1), 1, 1);
      assertThatThrownBy(() ->
              rows.update(pages, new RowSelection.Range(0, 64), new float[64 * 64], step, _ -> 0))
          .isInstanceOfSatisfying(
              PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.OUT_OF_MEMORY_BUDGET))
          .hasMessageContaining("of 20480 bytes of the budget are taken");
    }
  }

  @Test
  void scatterAddAddsOnceAndRepeatedly() {
    int columns = 12;
    PageLayout layout = PageLayout.of(new RowRange(0, 200), columns, 0, 4096);
    Random random = new Random(1);
    for (boolean repeats : List.of(false, true)) {
      try (PagePools pools = new PagePools(gpu.deviceTier(), new MemoryBudget(16 << 20));
          var tier = gpu.deviceTier();
          Arena arena = Arena.ofConfined()) {
        PageTable pages = new BranchStore(pools, List.of(layout)).create(new BranchRef(0)).table(0);
        RowSelection all = new RowSelection.Range(0, 200);
        float[] expected = new float[200 * columns];
        for (int i = 0; i < expected.length; i++) {
          expected[i] = random.nextInt(100);
        }
        rows.assign(pages, all, expected);
        long[] keys = new long[77];
        float[] added = new float[keys.length * columns];
        for (int i = 0; i < keys.length; i++) {
          keys[i] = repeats ? random.nextInt(20) : 2 * i;
          for (int c = 0; c < columns; c++) {
            added[i * columns + c] = random.nextInt(100);
            expected[(int) keys[i] * columns + c] += 0.5f * added[i * columns + c];
          }
        }
        MemorySegment values = tier.allocate(4L * added.length);
        tier.upload(arena.allocateFrom(ValueLayout.JAVA_FLOAT, added), values, 0);
        rows.scatterAdd(pages, new RowSelection.Keys(keys), values.address(), 0.5f, repeats);
        float[] read = new float[expected.length];
        rows.read(pages, all, read);
        assertThat(read).containsExactly(expected);
      }
    }
  }

  /// From all threads of a warp for one row to one for each, with rows that end anywhere in a turn
  /// of the warp; the last warp has too many lanes.
  @ParameterizedTest
  @CsvSource({
    "1, 1",
    "1, 5003",
    "3, 2500",
    "4, 67",
    "4, 9001",
    "8, 40",
    "10, 3",
    "10, 4500",
    "16, 2100",
    "20, 1",
    "20, 33",
    "20, 3000",
    "64, 700",
    "64, 2500",
    "100, 90",
    "240, 301",
    "255, 2",
    "255, 200",
    "256, 31",
    "1024, 5",
    "1024, 300",
    "1001, 77",
    "5000, 3"
  })
  void manyRowsAreReadAndAddedTo(int columns, int count) {
    PageLayout layout = PageLayout.of(new RowRange(0, count), columns, 0, 1 << 20);
    Random random = new Random(columns);
    try (PagePools pools = new PagePools(gpu.deviceTier(), new MemoryBudget(1L << 30));
        var tier = gpu.deviceTier();
        Arena arena = Arena.ofConfined()) {
      PageTable pages = new BranchStore(pools, List.of(layout)).create(new BranchRef(0)).table(0);
      float[] expected = wholes(random, count * columns);
      rows.assign(pages, new RowSelection.Range(0, count), expected);
      float[] added = wholes(random, expected.length);
      // Values of an odd number of rows lie where four floats are not aligned.
      long offset = count % 2 * 4;
      MemorySegment values = tier.allocate(4L * added.length + 4);
      tier.upload(arena.allocateFrom(ValueLayout.JAVA_FLOAT, added), values, offset);
      long[] once = LongStream.range(0, count).map(i -> count - 1 - i).toArray();
      long[] repeated = random.longs(count, 0, count).toArray();
      for (long[] keys : List.of(once, repeated)) {
        RowSelection selection = new RowSelection.Keys(keys);
        rows.scatterAdd(pages, selection, values.address() + offset, 0.5f, keys == repeated);
        for (int i = 0; i < added.length; i++) {
          expected[(int) keys[i / columns] * columns + i % columns] += 0.5f * added[i];
        }
        rows.read(pages, selection, values.address() + offset);
        MemorySegment host = arena.allocate(4L * added.length);
        tier.download(values, offset, host);
        added = host.toArray(ValueLayout.JAVA_FLOAT);
        for (int i = 0; i < count; i++) {
          int from = (int) keys[i] * columns;
          assertThat(
                  Arrays.mismatch(
                      added, i * columns, (i + 1) * columns, expected, from, from + columns))
              .as("row %d, as key %d of %d", keys[i], i, count)
              .isEqualTo(-1);
        }
      }
    }
  }

  /// Whose sums are the same in any order.
  private static float[] wholes(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextInt(100);
    }
    return values;
  }

  @Test
  void oneBitKeepsWhatItRoundsAway() {
    Random random = new Random(2);
    for (int count : List.of(1, 5, 31, 1023, 1024, 1025, 5000)) {
      float[] gradient = values(random, count, false);
      float[] residual = values(random, count, false);
      float[][] result = oneBit(gradient, residual);
      float[] decoded = result[0];
      float[] left = result[1];
      for (int first = 0; first < count; first += DeviceKernels.ONE_BIT_GROUP) {
        int end = Math.min(count, first + DeviceKernels.ONE_BIT_GROUP);
        double[] sum = new double[2];
        int[] size = new int[2];
        for (int i = first; i < end; i++) {
          float v = gradient[i] + residual[i];
          sum[v >= 0 ? 1 : 0] += v;
          size[v >= 0 ? 1 : 0]++;
        }
        for (int i = first; i < end; i++) {
          float v = gradient[i] + residual[i];
          int bit = v >= 0 ? 1 : 0;
          double level = sum[bit] / size[bit];
          assertThat((double) decoded[i])
              .as("count %d, value %d", count, i)
              .isCloseTo(level, within(1e-5 * Math.abs(level)));
          assertThat(left[i]).isEqualTo(v - decoded[i]);
        }
      }
    }
  }

  private float[][] oneBit(float[] gradient, float[] residual) {
    int count = gradient.length;
    long groups = (count + 1023) / 1024;
    try (var tier = gpu.deviceTier();
        Arena arena = Arena.ofConfined()) {
      MemorySegment g = tier.allocate(4L * count);
      MemorySegment r = tier.allocate(4L * count);
      MemorySegment bits = tier.allocate(groups * 128);
      MemorySegment levels = tier.allocate(groups * 8);
      MemorySegment out = tier.allocate(4L * count);
      tier.upload(arena.allocateFrom(ValueLayout.JAVA_FLOAT, gradient), g, 0);
      tier.upload(arena.allocateFrom(ValueLayout.JAVA_FLOAT, residual), r, 0);
      rows.kernels()
          .encodeOneBit(g.address(), r.address(), count, bits.address(), levels.address());
      rows.kernels().decodeOneBit(bits.address(), levels.address(), count, out.address());
      List<float[]> results = new ArrayList<>();
      for (MemorySegment from : List.of(out, r)) {
        MemorySegment host = arena.allocate(4L * count);
        tier.download(from, 0, host);
        results.add(host.toArray(ValueLayout.JAVA_FLOAT));
      }
      return results.toArray(float[][]::new);
    }
  }
}
