package dev.espalier.ps.gpu;

import dev.espalier.ps.branch.BranchPages;
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
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/// Trains layers whose state is four times what the device may hold, and the same layers where all
/// fits, and compares a clock of both.
///
/// A clock goes through the layers forward and then backward; backward makes the gradient and takes
/// a momentum step. How much there is to compute for a byte of state is set by the batch. `Alone`
/// is the clock without its computation: what the moves take by themselves.
final class OverlapBenchmark {
  private static final int LAYERS = 16;
  private static final int COLUMNS = 1024;
  private static final long PAGE_BYTES = 1 << 20;
  private static final int VISITS_PER_LAYER = 4;
  private static final int CLOCKS = 5;
  private static final int OVERSUBSCRIPTION = 4;
  private static final List<Integer> BATCHES = List.of(128, 256, 512, 1024, 2048);
  private static final DeviceRows.Step STEP =
      new DeviceRows.Step(
          UpdateRule.named("momentum", RuleOptions.defaults()), StepSize.of(1e-6), 1, 1);

  private final Gpu gpu;
  private final Figures figures;

  OverlapBenchmark(Gpu gpu, Figures figures) {
    this.gpu = gpu;
    this.figures = figures;
    gpu.driver().load(Ptx.read(OverlapBenchmark.class, "layer.ptx"));
  }

  /// Layers within a budget of the device.
  private final class Model implements AutoCloseable {
    final PageLayout layout;
    final List<PageVisit> plan = new ArrayList<>();
    final PagePools device;
    final PagePools pinned;
    final BranchStore store;
    final WorkingSet set;
    final DeviceRows rows = new DeviceRows(gpu);
    final MemoryTier blocks = gpu.deviceTier();
    final CudaDriver.Launch launch = gpu.driver().launch();
    final CudaDriver.Function forward = gpu.driver().function("layer_forward");
    final CudaDriver.Function gradient = gpu.driver().function("layer_gradient");
    final CudaDriver.Event start = gpu.driver().openTimer();
    final CudaDriver.Event end = gpu.driver().openTimer();
    final int rowsOfVisit;
    final MemorySegment x;
    final MemorySegment y;
    final MemorySegment g;
    private int branch;
    private int parent = -1;

    Model(long stateBytes, long budgetBytes) {
      long rowsOfLayer = stateBytes / LAYERS / (2L * 4 * COLUMNS);
      layout = PageLayout.of(new RowRange(0, rowsOfLayer), COLUMNS, 1, PAGE_BYTES);
      int pages = layout.pageCount();
      int part = Math.max(1, pages / VISITS_PER_LAYER);
      for (int layer = 0; layer < LAYERS; layer++) {
        for (int page = 0; page + part <= pages; page += part) {
          plan.add(new PageVisit(layer, page, page + part, false));
        }
      }
      for (PageVisit visit : List.copyOf(plan).reversed()) {
        plan.add(new PageVisit(visit.table(), visit.firstPage(), visit.endPage(), true));
      }
      device = new PagePools(gpu.deviceTier(), new MemoryBudget(budgetBytes));
      pinned = new PagePools(gpu.pinnedTier(), new MemoryBudget(2 * stateBytes));
      store = new BranchStore(device, Collections.nCopies(LAYERS, layout));
      set = new WorkingSet(gpu, device.ofSize(PAGE_BYTES), pinned.ofSize(PAGE_BYTES), plan);
      store.create(new BranchRef(branch));
      rowsOfVisit = part * layout.rowsPerPage();
      int most = BATCHES.getLast();
      x = ones(4L * most * COLUMNS);
      y = ones(4L * most * rowsOfVisit);
      g = ones(4L * rowsOfVisit * COLUMNS);
    }

    private MemorySegment ones(long bytes) {
      MemorySegment block = blocks.allocate(bytes);
      blocks.zero(block, bytes);
      return block;
    }

    /// Queues a clock.
    void clock(int batch) {
      BranchPages pages = store.pagesOf(new BranchRef(branch));
      for (int index = 0; index < plan.size(); index++) {
        PageVisit visit = plan.get(index);
        set.begin(pages, index);
        PageTable table = pages.table(visit.table());
        if (batch > 0) {
          work(table, visit, batch);
        }
        if (visit.writes()) {
          rows.updatePages(table, visit.firstPage(), visit.endPage(), g.address(), STEP);
        }
        set.end(pages, index);
      }
    }

    private void work(PageTable table, PageVisit visit, int batch) {
      long addresses = rows.tableOf(table, visit.firstPage(), visit.endPage()).pages();
      if (!visit.writes()) {
        launch
            .reset()
            .add(addresses)
            .add(layout.rowsPerPage())
            .add(COLUMNS)
            .add(rowsOfVisit)
            .add(x.address())
            .add(batch)
            .add(y.address())
            .run(forward, grid(rowsOfVisit, batch), gpu.stream());
      } else {
        launch
            .reset()
            .add(COLUMNS)
            .add(rowsOfVisit)
            .add(x.address())
            .add(y.address())
            .add(batch)
            .add(g.address())
            .run(gradient, grid(COLUMNS, rowsOfVisit), gpu.stream());
      }
    }

    private static CudaDriver.Grid grid(int across, int down) {
      return new CudaDriver.Grid((across / 4 + 15) / 16, (down / 4 + 15) / 16, 16, 16);
    }

    /// Median milliseconds of a clock.
    double millis(int batch) {
      clock(batch);
      clock(batch);
      return medianMillis(batch, () -> {});
    }

    /// Median milliseconds of a first clock after a fork, which writes each page into a fresh one.
    double millisAfterFork(int batch) {
      double millis =
          medianMillis(
              batch,
              () -> {
                freeParent();
                parent = branch++;
                store.fork(new BranchRef(branch), new BranchRef(parent));
              });
      freeParent();
      return millis;
    }

    private void freeParent() {
      if (parent >= 0) {
        store.free(new BranchRef(parent));
        set.sweep();
        parent = -1;
      }
    }

    private double medianMillis(int batch, Runnable before) {
      double[] millis = new double[CLOCKS];
      for (int i = 0; i < CLOCKS; i++) {
        before.run();
        gpu.driver().record(start, gpu.stream());
        clock(batch);
        gpu.driver().record(end, gpu.stream());
        gpu.driver().await(end);
        millis[i] = gpu.driver().millis(start, end);
      }
      Arrays.sort(millis);
      return millis[CLOCKS / 2];
    }

    @Override
    public void close() {
      gpu.await();
      gpu.driver().close(start);
      gpu.driver().close(end);
      store.free(new BranchRef(branch));
      set.sweep();
      set.close();
      rows.close();
      blocks.close();
      device.close();
      pinned.close();
    }
  }

  void run(long stateBytes) {
    double[] fitting = new double[BATCHES.size()];
    try (Model model = new Model(stateBytes, 2 * stateBytes)) {
      for (int i = 0; i < fitting.length; i++) {
        fitting[i] = model.millis(BATCHES.get(i));
      }
    }
    try (Model model = new Model(stateBytes, stateBytes / OVERSUBSCRIPTION)) {
      long in = model.set.bytesIn();
      long out = model.set.bytesOut();
      double alone = model.millis(0);
      double clocks = CLOCKS + 2;
      figures.add(
          "moves alone, state %d MiB, device %d MiB"
              .formatted(stateBytes >> 20, stateBytes / OVERSUBSCRIPTION >> 20),
          alone,
          "ms",
          Double.NaN,
          0);
      figures.add(
          "bytes in a clock", (model.set.bytesIn() - in) / clocks / 1e9, "GB", Double.NaN, 0);
      figures.add(
          "bytes out a clock", (model.set.bytesOut() - out) / clocks / 1e9, "GB", Double.NaN, 0);
      for (int i = 0; i < fitting.length; i++) {
        int batch = BATCHES.get(i);
        double moving = model.millis(batch);
        figures.add("clock where all fits, batch " + batch, fitting[i], "ms", Double.NaN, 0);
        figures.add(
            "clock with a quarter on the device, batch " + batch,
            moving,
            "ms",
            fitting[i] / moving,
            fitting[i] >= alone ? 0.8 : 0);
        double afterFork = model.millisAfterFork(batch);
        figures.add(
            "first clock after a fork, a quarter on the device, batch " + batch,
            afterFork,
            "ms",
            moving / afterFork,
            0);
        figures.add(
            "of the shorter of both hidden, batch " + batch,
            (fitting[i] + alone - moving) / Math.min(fitting[i], alone),
            "",
            Double.NaN,
            0);
      }
    }
  }
}
