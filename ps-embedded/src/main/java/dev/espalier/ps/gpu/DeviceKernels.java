package dev.espalier.ps.gpu;

import dev.espalier.ps.kernel.AdamStep;
import dev.espalier.ps.kernel.StepKernels;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/// The kernels of a device: the update rules, copies, gather, scatter-add and 1-bit quantisation.
///
/// Each call queues one launch, whatever the number of pages. Element-wise results have the bits of
/// the host's kernels. Not thread-safe.
final class DeviceKernels implements StepKernels<DeviceSpan> {
  private static final int THREADS = 256;
  private static final int FOURS_PER_THREAD = 4;
  private static final int MAX_BLOCKS_Y = 65_535;
  private static final int MAX_BLOCKS = 1 << 20;
  private static final int WARP = 32;

  // Of rows: as many as were fastest, or nearly so, at each of 16 widths on one H200.
  private static final int ROW_FOURS_PER_THREAD = 4;
  private static final int ROW_FLOATS_PER_THREAD = 64;

  private static final int NUMBERS = 8;

  /// Floats that share two levels in 1-bit quantisation.
  static final int ONE_BIT_GROUP = 1024;

  private final CudaDriver driver;
  private final CudaDriver.Stream stream;
  private final CudaDriver.Launch launch;
  private final Map<String, CudaDriver.Function> functions = new HashMap<>();
  private final float[] numbers = new float[NUMBERS];

  /// The kernels of a device, queued on its stream.
  DeviceKernels(Gpu gpu) {
    driver = gpu.driver();
    stream = gpu.stream();
    launch = driver.launch();
  }

  CudaDriver.Function function(String name) {
    return functions.computeIfAbsent(name, driver::function);
  }

  // ---- update rules; the order of the numbers is that of `struct Numbers` and of each rule there

  private void step(String kernel, DeviceSpan span, float... values) {
    Arrays.fill(numbers, 0);
    System.arraycopy(values, 0, numbers, 0, values.length);
    numbers[NUMBERS - 1] = span.divisor();
    launch
        .reset()
        .add(span.runs())
        .add(span.count())
        .add(span.planeBytes())
        .add(span.gradients())
        .add(numbers)
        .run(function(kernel), overRuns(span.count(), span.longest()), stream);
  }

  @Override
  public void sgd(DeviceSpan span, float learningRate) {
    step("step_sgd", span, learningRate);
  }

  @Override
  public void momentum(DeviceSpan span, float learningRate, float momentum, float gradientWeight) {
    step("step_momentum", span, learningRate, momentum, gradientWeight);
  }

  @Override
  public void nesterov(DeviceSpan span, float learningRate, float momentum) {
    step("step_nesterov", span, learningRate, momentum);
  }

  @Override
  public void adaGrad(DeviceSpan span, float learningRate, float epsilon) {
    step("step_adagrad", span, learningRate, epsilon);
  }

  @Override
  public void rmsProp(DeviceSpan span, float learningRate, float decay, float epsilon) {
    step("step_rmsprop", span, learningRate, decay, epsilon);
  }

  @Override
  public void adam(DeviceSpan span, AdamStep step) {
    step(
        "step_adam",
        span,
        step.learningRate(),
        step.beta1(),
        step.beta2(),
        step.epsilon(),
        step.factor1(),
        step.factor2(),
        step.weightDecay());
  }

  @Override
  public void adaDelta(DeviceSpan span, float learningRate, float decay, float epsilon) {
    step("step_adadelta", span, learningRate, decay, epsilon);
  }

  @Override
  public void adaRevision(DeviceSpan span, float learningRate, float initialAccumulator) {
    step("step_adarevision", span, learningRate, initialAccumulator);
  }

  @Override
  public void proximalSgd(DeviceSpan span, float learningRate, float l1, float l2) {
    step("step_proximal_sgd", span, learningRate, l1, l2);
  }

  @Override
  public void proximalAdaGrad(
      DeviceSpan span, float learningRate, float epsilon, float l1, float l2) {
    step("step_proximal_adagrad", span, learningRate, epsilon, l1, l2);
  }

  // ---- copies

  /// Copies runs from page to page.
  ///
  /// @param runs address of the runs
  /// @param count their number
  /// @param longest floats of the longest one
  void copy(long runs, int count, int longest) {
    launch.reset().add(runs).add(count);
    launch.run(function("copy_runs"), overRuns(count, longest), stream);
  }

  /// Fills runs of the pages `to`.
  void fill(long runs, int count, int longest, float value) {
    launch.reset().add(runs).add(count).add(value);
    launch.run(function("fill_runs"), overRuns(count, longest), stream);
  }

  /// A page table as it lies on the device.
  ///
  /// @param pages address of the pages' addresses
  /// @param rowsPerPage rows of a full page
  /// @param columns floats per row
  record Table(long pages, int rowsPerPage, int columns) {}

  /// Copies parameters of rows to `out`.
  ///
  /// @param rows address of `count` 64-bit row numbers, counted from the table's first row
  /// @param out address of `count x columns` floats
  void gather(Table table, long rows, int count, long out) {
    int threads = threadsOfARow(table.columns(), table.columns() % 4 == 0);
    arguments(table, rows, count).add(out).add(threads);
    launch.run(function("gather_rows"), overRows(count, threads), stream);
  }

  /// Adds `factor` times `values` to parameters of rows.
  ///
  /// @param values address of `count x columns` floats
  /// @param mayRepeat whether rows may be equal; then the order of additions is not defined
  void scatterAdd(Table table, long rows, int count, long values, float factor, boolean mayRepeat) {
    // What may repeat is added float by float.
    int threads = threadsOfARow(table.columns(), table.columns() % 4 == 0 && !mayRepeat);
    arguments(table, rows, count).add(values).add(factor).add(threads);
    launch.run(
        function(mayRepeat ? "scatter_add_equal_rows" : "scatter_add_rows"),
        overRows(count, threads),
        stream);
  }

  private CudaDriver.Launch arguments(Table table, long rows, int count) {
    return launch
        .reset()
        .add(table.pages())
        .add(table.rowsPerPage())
        .add(table.columns())
        .add(rows)
        .add(count);
  }

  // ---- 1-bit quantisation

  /// Rounds `gradient + residual` to one bit each and keeps what that loses in `residual`.
  ///
  /// Source: Seide et al. 2014, 1-bit SGD with error feedback; the two levels are the means of the
  /// negative and of the other values of each group of [#ONE_BIT_GROUP] floats.
  ///
  /// @param bits address of 32 words per group
  /// @param levels address of 2 floats per group
  void encodeOneBit(long gradient, long residual, long count, long bits, long levels) {
    launch.reset().add(gradient).add(residual).add(count).add(bits).add(levels);
    long groups = (count + ONE_BIT_GROUP - 1) / ONE_BIT_GROUP;
    launch.run(function("one_bit_encode"), overThreads(groups * WARP), stream);
  }

  /// Turns bits into the levels of their groups.
  void decodeOneBit(long bits, long levels, long count, long out) {
    launch.reset().add(bits).add(levels).add(count).add(out);
    launch.run(function("one_bit_decode"), overThreads((count + 3) / 4), stream);
  }

  // ---- grids

  private static CudaDriver.Grid overThreads(long threads) {
    return new CudaDriver.Grid(
        Math.clamp((threads + THREADS - 1) / THREADS, 1, MAX_BLOCKS), 1, THREADS, 1);
  }

  /// Threads for runs: so many a run as it has fours, and blocks that share long runs.
  private static CudaDriver.Grid overRuns(int count, int longest) {
    int fours = (longest + 3) / 4;
    int threadsX = Math.min(THREADS, powerOfTwo(fours));
    int threadsY = THREADS / threadsX;
    int blocksX = (fours - 1) / (threadsX * FOURS_PER_THREAD) + 1;
    int blocksY = Math.min(MAX_BLOCKS_Y, (count - 1) / threadsY + 1);
    return new CudaDriver.Grid(blocksX, blocksY, threadsX, threadsY);
  }

  /// So many threads a row, with none that has others to go on with.
  private static CudaDriver.Grid overRows(int count, int threadsOfARow) {
    long blocks = ((long) count * threadsOfARow + THREADS - 1) / THREADS;
    return new CudaDriver.Grid(Math.toIntExact(blocks), 1, THREADS, 1);
  }

  /// Threads for each row that is moved in words of four floats, or of one: as many as leave each
  /// so many words, but no more than a warp has.
  private static int threadsOfARow(int columns, boolean byFours) {
    int threads = byFours ? columns / 4 / ROW_FOURS_PER_THREAD : columns / ROW_FLOATS_PER_THREAD;
    return Integer.highestOneBit(Math.clamp(threads, 1, WARP));
  }

  private static int powerOfTwo(int atLeast) {
    return atLeast <= 1 ? 1 : Integer.highestOneBit(atLeast - 1) << 1;
  }
}
