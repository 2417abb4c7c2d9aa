package dev.espalier.ps.shard;

import dev.espalier.ps.branch.BranchPages;
import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.gpu.DeviceRows;
import dev.espalier.ps.gpu.Gpu;
import dev.espalier.ps.gpu.PageVisit;
import dev.espalier.ps.gpu.WorkingSet;
import dev.espalier.ps.memory.MemoryBudget;
import dev.espalier.ps.memory.Page;
import dev.espalier.ps.memory.PagePool;
import dev.espalier.ps.memory.PagePools;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowValues;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntToLongFunction;

/// Works on pages of a device, visit by visit.
///
/// Pages of all branches share the device: those of the branch that is worked on are there, as far
/// as they fit, the others are in pinned memory of the host (`WorkingSet`). A visit is a part of a
/// table, so small that several fit.
final class DeviceWork implements RowWork {
  private static final System.Logger LOG = System.getLogger(DeviceWork.class.getName());
  private static final int VISITS_ON_DEVICE = 8;

  /// A visit is a page at least.
  static final int MIN_PAGES = VISITS_ON_DEVICE;

  /// Visits that must fit beside pages that may not move: one that is worked on, one that arrives,
  /// one that leaves, one of fresh pages.
  private static final int MOVING_VISITS = 4;

  /// One that is computed on, one that is not yet given back, and gradients.
  private static final int COPIES_OF_A_TABLE = 3;

  private static final int COPY_ALIGNMENT = 256;

  private final Gpu gpu;
  private final PagePools device;
  private final PagePools pinned;

  /// Matrices put together for programs that compute on them, and the gradients that these hand in;
  /// not within the budget of the tables, as what such a program itself takes on the device is not.
  private final PagePools copies;

  private final DeviceRows rows;
  private final WorkingSet set;
  private final List<PageLayout> layouts;
  private final long pageBytes;
  private long devicePages;
  private Visits visits;
  private boolean hasUpdated;

  /// The parts that tables are worked on in: those that read, in the order of the pages, and then
  /// as many that write.
  ///
  /// @param pagesEach pages of a visit, at most
  /// @param first number of the first visit that reads, by table
  /// @param plan all
  private record Visits(int pagesEach, List<Integer> first, List<PageVisit> plan) {
    static Visits of(List<PageLayout> layouts, long devicePages) {
      int pagesEach = Math.toIntExact(Math.max(1, devicePages / VISITS_ON_DEVICE));
      List<Integer> first = new ArrayList<>();
      List<PageVisit> plan = new ArrayList<>();
      for (int table = 0; table < layouts.size(); table++) {
        first.add(plan.size());
        int pages = layouts.get(table).pageCount();
        for (int page = 0; page < pages; page += pagesEach) {
          plan.add(new PageVisit(table, page, Math.min(pages, page + pagesEach), false));
        }
      }
      List.copyOf(plan)
          .forEach(visit ->
              plan.add(new PageVisit(visit.table(), visit.firstPage(), visit.endPage(), true)));
      return new Visits(pagesEach, first, plan);
    }

    /// How many a table has of a kind.
    int of(PageLayout layout) {
      return (layout.pageCount() + pagesEach - 1) / pagesEach;
    }

    /// The visit that writes what another one reads.
    int writing(int visit) {
      return plan.size() / 2 + visit;
    }
  }

  /// Opens a device's memory.
  ///
  /// @param memory the device, closed with this, and its budget
  /// @param pinnedBytes budget of the host
  /// @param layouts of the tables, with one size of page
  DeviceWork(DeviceMemory memory, long pinnedBytes, List<PageLayout> layouts) {
    gpu = memory.gpu();
    pageBytes = layouts.getFirst().pageBytes();
    devicePages = memory.bytes() / pageBytes;
    if (devicePages < MIN_PAGES) {
      throw new IllegalArgumentException(
          "deviceBytes must hold >= %d pages of %d bytes but is %d"
              .formatted(MIN_PAGES, pageBytes, memory.bytes()));
    }
    this.layouts = List.copyOf(layouts);
    visits = Visits.of(layouts, devicePages);
    device = new PagePools(gpu.deviceTier(), new MemoryBudget(memory.bytes()));
    pinned = new PagePools(gpu.pinnedTier(), new MemoryBudget(pinnedBytes));
    copies =
        PagePools.ofSinglePages(
            gpu.deviceTier(), new MemoryBudget(COPIES_OF_A_TABLE * sizeOf(layouts)));
    rows = new DeviceRows(gpu);
    try {
      set = new WorkingSet(gpu, device.ofSize(pageBytes), pinned.ofSize(pageBytes), visits.plan());
    } catch (RuntimeException e) {
      rows.close();
      throw e;
    }
    LOG.log(
        System.Logger.Level.INFO,
        "tables={0} gpu={1} bytes={2} pageBytes={3}",
        layouts.size(),
        gpu.device().name(),
        Long.toString(memory.bytes()),
        Long.toString(pageBytes));
  }

  private static long sizeOf(List<PageLayout> layouts) {
    return layouts.stream().mapToLong(DeviceWork::sizeOf).sum();
  }

  private static long sizeOf(PageLayout layout) {
    return sizeOf(layout.range().count() * layout.columns());
  }

  private static long sizeOf(long values) {
    return (4 * values + COPY_ALIGNMENT - 1) / COPY_ALIGNMENT * COPY_ALIGNMENT;
  }

  /// Cuts the visits anew where the memory of the device has ended before its budget.
  private void followMemory() {
    long pages = Math.max(1, device.ofSize(pageBytes).allPages());
    if (pages < devicePages) {
      devicePages = pages;
      visits = Visits.of(layouts, pages);
      set.follow(visits.plan());
    }
  }

  @Override
  public PagePools pools() {
    return device;
  }

  /// A page that does not fit on the device sends another one to the host, so there must be room
  /// for those.
  @Override
  public boolean isOnHost() {
    return false;
  }

  @Override
  public void reserve(PagePool pool, int pages) {
    set.reserve(pages);
  }

  @Override
  public ShardReply collect(
      TablePart table, BranchPages pages, ShardCommand.Read read, RowCollector collector) {
    int columns = table.layout().columns();
    collector.begin(read.rows().count(), columns, read.staleness().bound());
    if (collector.wantsPages()) {
      if (read.rows() instanceof RowSelection.Range range
          && !leaveInPlace(table, pages, range, collector)) {
        putTogether(table, pages, range, collector);
      }
      return collector.end();
    }
    // Collectors take rows in the order of the selection, visits may not have it.
    float[] all = new float[Math.multiplyExact(read.rows().count(), columns)];
    forEachVisit(
        table,
        read.rows(),
        (visit, part, positions) -> {
          float[] values = positions.isAll(all, columns) ? all : new float[part.count() * columns];
          beginRead(pages, visit);
          rows.read(pages.table(table.index()), part, values);
          set.end(pages, visit);
          positions.putInto(all, values, columns);
        });
    if (read.rows().count() > 0) {
      collector.take(MemorySegment.ofArray(all), 0, 0, read.rows().count());
    }
    return collector.end();
  }

  private void beginRead(BranchPages pages, int visit) {
    if (hasUpdated) {
      hasUpdated = false;
      set.endRound();
    }
    set.begin(pages, visit);
  }

  /// Hands out the page of rows that lie together in one, as long as enough others can still move.
  private boolean leaveInPlace(
      TablePart table, BranchPages pages, RowSelection.Range range, RowCollector collector) {
    PageLayout layout = table.layout();
    if (layout.pageCount() > 1) {
      return false;
    }
    followMemory();
    int visit = visits.first().get(table.index());
    beginRead(pages, visit);
    boolean mayStay = set.fixedPages() + (long) MOVING_VISITS * visits.pagesEach() < devicePages;
    if (mayStay) {
      // Whoever gets the address works on a stream of its own.
      gpu.awaitKernels();
      collector.take(
          pages.table(table.index()).page(0), layout.offsetOf(range.first()), 0, range.count());
    }
    set.end(pages, visit);
    return mayStay;
  }

  /// Hands out a copy on the device of rows that do not lie together, or cannot be left in place;
  /// none where the device has no room for it.
  private void putTogether(
      TablePart table, BranchPages pages, RowSelection.Range range, RowCollector collector) {
    int columns = table.layout().columns();
    Page copy = copyOf((long) range.count() * columns).orElse(null);
    if (copy == null) {
      return;
    }
    try {
      forEachVisit(
          table,
          range,
          (visit, part, positions) -> {
            beginRead(pages, visit);
            rows.read(
                pages.table(table.index()),
                part,
                copy.address() + 4L * positions.first() * columns);
            set.end(pages, visit);
          });
      gpu.awaitKernels();
      collector.take(copy, 0, 0, range.count());
    } finally {
      copy.release();
    }
  }

  /// Room on the device for values that are no page; empty where it has none.
  private Optional<Page> copyOf(long values) {
    PagePool pool = copies.ofSize(sizeOf(values));
    return pool.tryReserve(1) ? Optional.of(pool.acquire()) : Optional.empty();
  }

  @Override
  public void assign(TablePart table, BranchPages pages, RowBatch batch) {
    forEachVisit(
        table,
        batch.rows(),
        (visit, part, positions) -> {
          float[] values = positions.valuesOf(batch.values(), table.layout().columns());
          set.begin(pages, visits.writing(visit));
          rows.assign(pages.table(table.index()), part, values);
          set.end(pages, visits.writing(visit));
        });
  }

  @Override
  public void update(
      TablePart table, BranchPages pages, List<RowBatch> batches, TablePart.Step step) {
    DeviceRows.Step deviceStep =
        new DeviceRows.Step(table.rule(), step.stepSize(), step.stepNumber(), step.divisor());
    PageTable pageTable = pages.table(table.index());
    hasUpdated = true;
    for (RowBatch given : batches) {
      if (given.content() instanceof RowValues.OnDevice values && step.seen() == null) {
        updateWhere(table, pages, given.rows(), values.address(), deviceStep);
        continue;
      }
      RowBatch batch = given.inArray();
      forEachVisit(
          table,
          batch.rows(),
          (visit, part, positions) -> {
            float[] gradients = positions.valuesOf(batch.values(), table.layout().columns());
            set.begin(pages, visits.writing(visit));
            rows.update(pageTable, part, gradients, deviceStep, seenBy(step, table, pageTable));
            set.end(pages, visits.writing(visit));
          });
    }
  }

  /// Takes a step on all rows with gradients that lie on the device.
  private void updateWhere(
      TablePart table,
      BranchPages pages,
      RowSelection rowsOfTable,
      long gradients,
      DeviceRows.Step step) {
    PageLayout layout = table.layout();
    forEachVisit(
        table,
        rowsOfTable,
        (visit, part, positions) -> {
          set.begin(pages, visits.writing(visit));
          rows.updatePages(
              pages.table(table.index()),
              layout.pageOf(part.row(0)),
              layout.pageOf(part.row(part.count() - 1)) + 1,
              gradients + 4L * positions.first() * layout.columns(),
              step);
          set.end(pages, visits.writing(visit));
        });
  }

  @Override
  public Optional<RowValues.OnDevice> keep(int count, long address) {
    Page copy = copyOf(count).orElse(null);
    if (copy == null) {
      return Optional.empty();
    }
    try {
      gpu.copy(address, copy.address(), 4L * count);
      // Whoever wrote them may write others there.
      gpu.awaitKernels();
    } catch (PsException e) {
      copy.release();
      throw e;
    }
    return Optional.of(new Kept(copy, count));
  }

  private record Kept(Page page, int count) implements RowValues.OnDevice {
    @Override
    public long address() {
      return page.address();
    }

    @Override
    public float[] download() {
      float[] values = new float[count];
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment copy = arena.allocate(ValueLayout.JAVA_FLOAT, count);
        page.download(0, copy);
        MemorySegment.copy(copy, ValueLayout.JAVA_FLOAT, 0, values, 0, count);
      }
      return values;
    }

    @Override
    public void release() {
      page.release();
    }
  }

  /// Where pages lie as the pushing worker had read them; the device reads pinned ones, too.
  private IntToLongFunction seenBy(TablePart.Step step, TablePart table, PageTable pages) {
    if (step.seen() == null) {
      return _ -> 0;
    }
    set.awaitMoves();
    return page -> {
      Page seen = step.seenPage(table.index(), pages, page);
      return seen == null ? 0 : seen.address();
    };
  }

  // ---- selections cut into visits

  private interface VisitWork {
    /// @param visit number of the visit among those that read
    /// @param part the selected rows of the visit
    /// @param positions of the rows in the selection
    void run(int visit, RowSelection part, Positions positions);
  }

  /// Places in a selection: `first, first + 1, ...` or any.
  private record Positions(int first, int[] any, int count) {
    static Positions from(int first, int count) {
      return new Positions(first, new int[0], count);
    }

    static Positions of(int[] any) {
      return new Positions(0, any, any.length);
    }

    boolean isContiguous() {
      return any.length == 0;
    }

    boolean isAll(float[] values, int columns) {
      return isContiguous() && first == 0 && count * columns == values.length;
    }

    /// The values of these rows; the array itself when they are all of it.
    float[] valuesOf(float[] values, int columns) {
      if (isAll(values, columns)) {
        return values;
      }
      float[] part = new float[count * columns];
      if (isContiguous()) {
        System.arraycopy(values, first * columns, part, 0, part.length);
      } else {
        for (int i = 0; i < count; i++) {
          System.arraycopy(values, any[i] * columns, part, i * columns, columns);
        }
      }
      return part;
    }

    /// Puts the values of these rows where they belong.
    void putInto(float[] all, float[] part, int columns) {
      if (part == all) {
        return;
      }
      if (isContiguous()) {
        System.arraycopy(part, 0, all, first * columns, part.length);
      } else {
        for (int i = 0; i < count; i++) {
          System.arraycopy(part, i * columns, all, any[i] * columns, columns);
        }
      }
    }
  }

  private void forEachVisit(TablePart table, RowSelection selection, VisitWork work) {
    if (selection.count() == 0) {
      return;
    }
    followMemory();
    int firstVisit = visits.first().get(table.index());
    if (visits.of(table.layout()) == 1) {
      work.run(firstVisit, selection, Positions.from(0, selection.count()));
      return;
    }
    switch (selection) {
      case RowSelection.Range range -> forEachVisit(table.layout(), firstVisit, range, work);
      case RowSelection.Keys keys -> forEachVisit(table.layout(), firstVisit, keys, work);
    }
  }

  private void forEachVisit(
      PageLayout layout, int firstVisit, RowSelection.Range range, VisitWork work) {
    long end = range.first() + range.count();
    for (long row = range.first(); row < end; ) {
      int visit = layout.pageOf(row) / visits.pagesEach();
      long endOfVisit =
          layout.endRowOf(Math.min(layout.pageCount(), (visit + 1) * visits.pagesEach()) - 1);
      int count = (int) (Math.min(end, endOfVisit) - row);
      work.run(
          firstVisit + visit,
          new RowSelection.Range(row, count),
          Positions.from((int) (row - range.first()), count));
      row += count;
    }
  }

  private void forEachVisit(
      PageLayout layout, int firstVisit, RowSelection.Keys keys, VisitWork work) {
    int count = visits.of(layout);
    int[] counts = new int[count];
    for (long key : keys.keys()) {
      counts[layout.pageOf(key) / visits.pagesEach()]++;
    }
    long[][] keysOf = new long[count][];
    int[][] positionsOf = new int[count][];
    for (int visit = 0; visit < count; visit++) {
      keysOf[visit] = new long[counts[visit]];
      positionsOf[visit] = new int[counts[visit]];
    }
    for (int i = keys.count() - 1; i >= 0; i--) {
      int visit = layout.pageOf(keys.row(i)) / visits.pagesEach();
      int place = --counts[visit];
      keysOf[visit][place] = keys.row(i);
      positionsOf[visit][place] = i;
    }
    for (int visit = 0; visit < count; visit++) {
      if (keysOf[visit].length > 0) {
        work.run(
            firstVisit + visit,
            new RowSelection.Keys(keysOf[visit]),
            Positions.of(positionsOf[visit]));
      }
    }
  }

  @Override
  public Optional<DeviceUse> device() {
    return Optional.of(
        new DeviceUse(
            gpu.device().name(), device.budget().limitBytes(), set.bytesIn(), set.bytesOut()));
  }

  @Override
  public void forgetFreed() {
    set.sweep();
  }

  @Override
  public long pagesInUse() {
    set.sweep();
    return device.pagesInUse() + pinned.pagesInUse() - set.pinnedCopies();
  }

  @Override
  public long bytesInUse() {
    return pagesInUse() * pageBytes;
  }

  @Override
  public MemoryBudget hostBudget() {
    return pinned.budget();
  }

  @Override
  @SuppressWarnings("try") // all are closed, the last first, whichever fails
  public void close() {
    try (gpu;
        pinned;
        copies;
        device;
        rows;
        set) {
      // Nothing is left to be done.
    }
  }
}
