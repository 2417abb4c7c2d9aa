package dev.espalier.ps.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.espalier.ps.branch.BranchPages;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.branch.BranchStore;
import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.branch.Snapshot;
import dev.espalier.ps.checkpoint.CheckpointShape;
import dev.espalier.ps.checkpoint.CheckpointStore;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.memory.MemoryBudget;
import dev.espalier.ps.memory.Page;
import dev.espalier.ps.memory.PagePools;
import dev.espalier.ps.memory.SettledPages;
import dev.espalier.ps.optim.RuleOptions;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.optim.UpdateRule;
import dev.espalier.ps.table.RowRange;
import dev.espalier.ps.table.RowSelection;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class WorkingSetTest {
  private static final int PAGE_BYTES = 4096;
  private static final int COLUMNS = 64;
  private static final int ROWS = 8 * 40;
  private static final BranchRef ROOT = new BranchRef(0);
  private static final DeviceRows.Step STEP =
      new DeviceRows.Step(
          UpdateRule.named("momentum", RuleOptions.defaults()), StepSize.of(0.5), 1, 1);

  @AfterEach
  void reset() {
    TestDevice.schedule(TestDevice.Schedule.LATE, 0);
    TestDevice.endFailures();
  }

  /// Two tables of 40 pages, visited in parts of `part` pages, forward, then backward and written.
  private static List<PageVisit> plan(int pages, int part) {
    List<PageVisit> plan = new ArrayList<>();
    for (int table = 0; table < 2; table++) {
      for (int page = 0; page < pages; page += part) {
        plan.add(new PageVisit(table, page, Math.min(pages, page + part), false));
      }
    }
    for (PageVisit visit : List.copyOf(plan).reversed()) {
      plan.add(new PageVisit(visit.table(), visit.firstPage(), visit.endPage(), true));
    }
    return plan;
  }

  /// Momentum in plain arrays.
  private record Plain(float[] w, float[] v) {
    Plain fork() {
      return new Plain(w.clone(), v.clone());
    }

    void step(int first, int count, float[] gradient) {
      for (int i = 0; i < count; i++) {
        v[first + i] = 0.9f * v[first + i] + gradient[i];
        w[first + i] -= 0.5f * v[first + i];
      }
    }
  }

  /// A state of several branches that does not fit, against plain arrays.
  private static final class Job implements AutoCloseable {
    final Random random;
    final Gpu gpu = TestDevice.open();
    final DeviceRows rows = new DeviceRows(gpu);
    final PageLayout layout = PageLayout.of(new RowRange(0, ROWS), COLUMNS, 1, PAGE_BYTES);
    final List<PageVisit> plan = plan(layout.pageCount(), 4);
    final PagePools device;
    final PagePools pinned;
    final BranchStore store;
    final WorkingSet set;
    final Map<Integer, Plain[]> plain = new HashMap<>();
    int next = 1;

    Job(long seed, int devicePages) {
      this(seed, devicePages, (64 << 20) / PAGE_BYTES);
    }

    Job(long seed, int devicePages, int pinnedPages) {
      random = new Random(seed);
      device = new PagePools(gpu.deviceTier(), new MemoryBudget((long) devicePages * PAGE_BYTES));
      pinned = new PagePools(gpu.pinnedTier(), new MemoryBudget((long) pinnedPages * PAGE_BYTES));
      store = new BranchStore(device, List.of(layout, layout));
      set = new WorkingSet(gpu, device.ofSize(PAGE_BYTES), pinned.ofSize(PAGE_BYTES), plan);
      store.create(ROOT);
      plain.put(0, new Plain[] {zeros(), zeros()});
    }

    private static Plain zeros() {
      return new Plain(new float[ROWS * COLUMNS], new float[ROWS * COLUMNS]);
    }

    void round(int branch) {
      for (int index = 0; index < plan.size(); index++) {
        visit(branch, index);
      }
    }

    void visit(int branch, int index) {
      PageVisit visit = plan.get(index);
      BranchPages pages = store.pagesOf(new BranchRef(branch));
      PageTable table = pages.table(visit.table());
      Plain mine = plain.get(branch)[visit.table()];
      int firstRow = (int) layout.firstRowOf(visit.firstPage());
      int count = (int) layout.endRowOf(visit.endPage() - 1) - firstRow;
      RowSelection range = new RowSelection.Range(firstRow, count);
      set.begin(pages, index);
      if (visit.writes()) {
        float[] gradient = new float[count * COLUMNS];
        for (int i = 0; i < gradient.length; i++) {
          gradient[i] = (float) random.nextGaussian();
        }
        rows.update(table, range, gradient, STEP, _ -> 0);
        mine.step(firstRow * COLUMNS, gradient.length, gradient);
      } else {
        float[] read = new float[count * COLUMNS];
        rows.read(table, range, read);
        assertThat(
                Arrays.mismatch(
                    read,
                    Arrays.copyOfRange(mine.w(), firstRow * COLUMNS, (firstRow + count) * COLUMNS)))
            .as("branch %d, visit %d", branch, index)
            .isEqualTo(-1);
      }
      set.end(pages, index);
    }

    int fork(int parent) {
      store.fork(new BranchRef(next), new BranchRef(parent));
      plain.put(next, Arrays.stream(plain.get(parent)).map(Plain::fork).toArray(Plain[]::new));
      return next++;
    }

    void free(int branch) {
      store.free(new BranchRef(branch));
      plain.remove(branch);
      set.sweep();
    }

    @Override
    public void close() {
      List.copyOf(plain.keySet()).forEach(this::free);
      set.close();
      assertThat(device.pagesInUse()).as("pages on the device").isZero();
      assertThat(pinned.pagesInUse()).as("pinned pages").isZero();
      rows.close();
      device.close();
      pinned.close();
      gpu.close();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "LATE, 20",
    "EARLY, 20",
    "BY_CHANCE, 20",
    "LATE, 14",
    "EARLY, 14",
    "BY_CHANCE, 14",
    "EARLY, 100",
    "LATE, 100"
  })
  void aStateThatDoesNotFitTrainsToTheSameBits(TestDevice.Schedule schedule, int devicePages) {
    TestDevice.schedule(schedule, devicePages);
    try (Job job = new Job(1, devicePages)) {
      for (int round = 0; round < 3; round++) {
        job.round(0);
      }
      int trial = job.fork(0);
      job.round(trial);
      job.round(0);
      job.round(trial);
      job.free(0);
      job.round(trial);
    }
  }

  @ParameterizedTest
  @EnumSource
  void visitsInAnyOrderOfAnyBranchGiveTheSameBits(TestDevice.Schedule schedule) {
    for (int seed = 0; seed < 6; seed++) {
      TestDevice.schedule(schedule, seed);
      try (Job job = new Job(seed, 14 + seed * 6)) {
        anything(job, 120, 8);
      }
    }
  }

  /// Random visits, forks and frees.
  private static void anything(Job job, int count, int branches) {
    for (int i = 0; i < count; i++) {
      List<Integer> living = List.copyOf(job.plain.keySet());
      int branch = living.get(job.random.nextInt(living.size()));
      int chance = job.random.nextInt(20);
      if (chance == 0 && living.size() < branches) {
        job.fork(branch);
      } else if (chance == 1 && living.size() > 1) {
        job.free(branch);
      } else {
        job.visit(branch, job.random.nextInt(job.plan.size()));
      }
    }
  }

  /// 80 pages a branch, of which 24 are on the device and no more than 80 in pinned memory, for
  /// whatever two branches differ in.
  @ParameterizedTest
  @EnumSource
  void homesOfPagesOnTheDeviceAreGivenUpWhereOthersNeedThem(TestDevice.Schedule schedule) {
    for (int seed = 0; seed < 4; seed++) {
      TestDevice.schedule(schedule, seed);
      try (Job job = new Job(seed, 24, 80)) {
        // Each reads what the other has written, so that copies of it pile up on both sides.
        int trial = job.fork(0);
        job.round(0);
        for (int visit : new int[] {19, 18, 0, 1, 2}) {
          job.visit(trial, visit);
        }
        for (int i = 0; i < 60; i++) {
          job.visit(i % 3 == 0 ? trial : 0, job.random.nextInt(20));
        }
        job.round(0);
        job.visit(trial, 5);
      }
    }
  }

  /// What could not leave is where it was: all that was trained is still there when there is room.
  @ParameterizedTest
  @EnumSource
  void pagesThatFindNoPlaceStay(TestDevice.Schedule schedule) {
    TestDevice.schedule(schedule, 1);
    // 80 pages and those of a second branch: the device has 24, pinned memory 70.
    try (Job job = new Job(11, 24, 70)) {
      job.round(0);
      int trial = job.fork(0);
      assertThatThrownBy(() -> job.round(trial))
          .isInstanceOfSatisfying(
              PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.OUT_OF_MEMORY_BUDGET))
          .hasMessageContaining("of %d bytes of the budget".formatted(70 * PAGE_BYTES));
      job.free(trial);
      for (int visit = 0; visit < 20; visit++) {
        job.visit(0, visit);
      }
      job.round(0);
    }
  }

  /// Pinned memory ends before its budget, or a copy is refused, now and then, somewhere, while
  /// another thread reads pages as a checkpoint does.
  @ParameterizedTest
  @Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  @CsvSource({
    "cuMemHostAlloc, 2, LATE",
    "cuMemcpyDtoH, 1, LATE",
    "cuMemcpyDtoH, 1, BY_CHANCE",
    "cuMemcpyHtoD, 1, LATE",
    "cuMemcpyHtoD, 1, BY_CHANCE",
    "cuMemAlloc, 2, EARLY"
  })
  void aFailureOfTheDriverLosesNoPage(String call, int error, TestDevice.Schedule schedule) {
    assumeDouble();
    int failures = 0;
    for (int seed = 0; seed < 6; seed++) {
      TestDevice.schedule(schedule, seed);
      try (Job job = new Job(seed, 20);
          var _ = new Reader(job.store.snapshot(ROOT))) {
        job.fork(0);
        job.visit(0, 20);
        for (int i = 0; i < 40; i++) {
          int visit = job.random.nextInt(20);
          int branch = job.random.nextInt(2);
          TestDevice.fail(call, 1 + job.random.nextInt(6), error);
          try {
            job.set.begin(job.store.pagesOf(new BranchRef(branch)), visit);
            job.set.end(job.store.pagesOf(new BranchRef(branch)), visit);
          } catch (PsException e) {
            failures++;
          }
          TestDevice.endFailures();
          job.visit(branch, visit);
          if (i % 2 == 0) {
            job.visit(branch, 39 - visit);
          }
        }
      }
    }
    if (error == 1) {
      assertThat(failures).isPositive();
    }
  }

  /// Reads the pinned pages of a snapshot of zeros, again and again.
  private static final class Reader implements AutoCloseable {
    private final Snapshot snapshot;
    private final AtomicBoolean isOver = new AtomicBoolean();
    private final CompletableFuture<Void> reading;

    Reader(Snapshot snapshot) {
      this.snapshot = snapshot;
      reading = CompletableFuture.runAsync(this::read);
    }

    private void read() {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment copy = arena.allocate(PAGE_BYTES);
        MemorySegment zeros = arena.allocate(PAGE_BYTES);
        for (int i = 0; !isOver.get(); i++) {
          Page page = snapshot.pages().table(i % 2).page(i / 2 % 40);
          // What is read of the device would take the failures that are meant for moves.
          if (!page.isOnDevice() && wasRead(page, copy)) {
            assertThat(copy.mismatch(zeros)).isEqualTo(-1);
          }
        }
      }
    }

    private static boolean wasRead(Page page, MemorySegment copy) {
      try {
        page.download(0, copy);
        return true;
      } catch (PsException e) {
        return false;
      }
    }

    @Override
    public void close() {
      isOver.set(true);
      reading.join();
      snapshot.close();
    }
  }

  /// A page that cannot leave comes back to its place although somebody waits to read it.
  @Test
  void whoWaitsForAPageDoesNotKeepItFromStaying() throws Exception {
    try (Gpu gpu = TestDevice.open();
        PagePools device = new PagePools(gpu.deviceTier(), new MemoryBudget(1 << 20));
        PagePools pinned = new PagePools(gpu.pinnedTier(), new MemoryBudget(1 << 20));
        ExecutorService others = Executors.newCachedThreadPool();
        Arena arena = Arena.ofShared()) {
      Page page = device.ofSize(PAGE_BYTES).acquire();
      Page home = pinned.ofSize(PAGE_BYTES).acquire();
      MemorySegment value = arena.allocateFrom(ValueLayout.JAVA_BYTE, (byte) 7);
      page.upload(value, 0);
      value.fill((byte) 0);
      var departing = (ReentrantLock) gpu.departing();
      Future<?> reader;
      departing.lock();
      try {
        assertThat(page.trade(home)).isTrue();
        reader = others.submit(() -> page.download(0, value));
        while (!departing.hasQueuedThreads()) {
          Thread.onSpinWait();
        }
        assertThat(others.submit(() -> page.trade(home)).get(30, TimeUnit.SECONDS)).isTrue();
      } finally {
        departing.unlock();
      }
      reader.get(30, TimeUnit.SECONDS);
      assertThat(value.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 7);
    }
  }

  private static void assumeDouble() {
    TestDevice.open().close();
    assumeTrue(TestDevice.isDouble(), "a real device cannot be made to fail");
  }

  @Test
  void whatADeviceThatFailedHasIsGivenBackAsFarAsItGoes() {
    assumeDouble();
    Job job = new Job(1, 20);
    job.round(0);
    TestDevice.failFromNowOn(700);
    assertThatThrownBy(() -> job.set.begin(job.store.pagesOf(ROOT), 0))
        .hasMessageContaining("failed: CUDA_ERROR_ILLEGAL_ADDRESS");
    assertThatThrownBy(job.set::close)
        .isInstanceOfSatisfying(
            PsException.class, e -> assertThat(e.getSuppressed()).hasSizeGreaterThan(100));
    TestDevice.endFailures();
    job.gpu.await();
    job.rows.close();
    job.device.close();
    job.pinned.close();
    job.gpu.close();
  }

  @Test
  void whatCannotBeOpenedLeavesNothingOpen() {
    assumeDouble();
    long living = TestDevice.living();
    TestDevice.fail("cuModuleLoadData", 1, 218);
    assertThatThrownBy(Gpu::open).hasMessage("cuModuleLoadData failed: CUDA_ERROR_INVALID_PTX");
    TestDevice.fail("cuDevicePrimaryCtxRetain", 1, 46);
    assertThatThrownBy(Gpu::open).hasMessageContaining("device 0 is busy");
    for (int stream = 1; stream <= 4; stream++) {
      TestDevice.fail("cuStreamCreate", stream, 2);
      assertThatThrownBy(Gpu::open).isInstanceOf(PsException.class);
    }
    assertThat(TestDevice.living()).isEqualTo(living);
    try (Gpu gpu = Gpu.open();
        PagePools device = new PagePools(gpu.deviceTier(), new MemoryBudget(1 << 20));
        PagePools pinned = new PagePools(gpu.pinnedTier(), new MemoryBudget(1 << 20))) {
      long open = TestDevice.living();
      TestDevice.fail("cuEventCreate", 100, 2);
      assertThatThrownBy(() ->
              new WorkingSet(
                  gpu, device.ofSize(PAGE_BYTES), pinned.ofSize(PAGE_BYTES), plan(40, 4)))
          .isInstanceOf(PsException.class);
      assertThat(TestDevice.living()).isEqualTo(open);
    }
    assertThat(TestDevice.living()).isEqualTo(living);
  }

  /// The copies of pages that have left are queued behind work, and may not have begun.
  @ParameterizedTest
  @EnumSource
  void aCheckpointHoldsPagesThatAreOnTheirWay(TestDevice.Schedule schedule, @TempDir Path folder) {
    TestDevice.schedule(schedule, 3);
    Path file = folder.resolve("checkpoint");
    try (Job job = new Job(7, 20);
        PagePools host = new PagePools(new MemoryBudget(16 << 20))) {
      job.round(0);
      job.round(0);
      var shape =
          new CheckpointShape(
              "test",
              Stream.of("a", "b")
                  .map(name -> new CheckpointShape.Table(name, name, job.layout))
                  .toList());
      try (Snapshot snapshot = job.store.snapshot(ROOT)) {
        new CheckpointStore(shape).write(snapshot, file);
      }
      BranchPages read = new BranchStore(host, List.of(job.layout, job.layout)).zeros();
      new CheckpointStore(shape).read(file, read);
      // Pages come back into a state that does not fit, some into places that others are leaving.
      BranchPages again = job.store.zeros();
      new CheckpointStore(shape).read(file, again);
      BranchRef branch = new BranchRef(job.next++);
      job.store.adopt(branch, again);
      job.plain.put(branch.number(), job.plain.get(0));
      for (int visit = 0; visit < job.plan.size() / 2; visit++) {
        job.visit(branch.number(), visit);
      }
      for (int table = 0; table < 2; table++) {
        float[] expected = job.plain.get(0)[table].w();
        for (int row = 0; row < ROWS; row++) {
          MemorySegment page = read.table(table).page(job.layout.pageOf(row)).segment();
          float[] found =
              page.asSlice(job.layout.offsetOf(row), 4L * COLUMNS).toArray(ValueLayout.JAVA_FLOAT);
          assertThat(found)
              .as("table %d, row %d", table, row)
              .containsExactly(Arrays.copyOfRange(expected, row * COLUMNS, (row + 1) * COLUMNS));
        }
      }
    }
  }

  /// Frames for pages that a fork has work write anew come from those that leave, not from those
  /// that arrive: the pages of the next visit may still be on their way when work is done.
  @Test
  void workOnFreshPagesDoesNotWaitForTheNextVisit() {
    assumeDouble();
    TestDevice.schedule(TestDevice.Schedule.LATE, 0);
    int underWay = 0;
    try (Job job = new Job(4, 20)) {
      job.round(0);
      job.round(0);
      BranchPages trial = job.store.pagesOf(new BranchRef(job.fork(0)));
      for (int index = job.plan.size() / 2; index < job.plan.size() - 1; index++) {
        PageVisit next = job.plan.get(index + 1);
        PageTable table = trial.table(next.table());
        List<Integer> away =
            IntStream.range(next.firstPage(), next.endPage())
                .filter(page -> !table.page(page).isOnDevice())
                .boxed()
                .toList();
        job.set.begin(trial, index);
        job.gpu.awaitKernels();
        for (int page : away) {
          boolean isSentFor = table.page(page).isOnDevice();
          underWay += isSentFor && !holds(job, next.table(), page) ? 1 : 0;
        }
        job.gpu.await();
        for (int page : away) {
          assertThat(!table.page(page).isOnDevice() || holds(job, next.table(), page)).isTrue();
        }
        job.set.end(trial, index);
      }
    }
    assertThat(underWay).isPositive();
  }

  /// Moves that take three quarters of the time of the work hide behind it, also in a first clock
  /// after a fork, whose fresh pages need frames at once.
  @Test
  void movesHideBehindWork() {
    TestDevice.pace(1e9, 1.33 * 4 * PAGE_BYTES / 1e9);
    try (Job job = new Job(5, 24)) {
      double work = job.plan.size() * 1.33 * 4 * PAGE_BYTES / 1e9;
      job.round(0);
      job.round(0);
      assertThat(secondsOf(job, 0)).isBetween(work, 1.05 * work);
      assertThat(secondsOf(job, job.fork(0))).isBetween(work, 1.15 * work);
    } finally {
      TestDevice.pace(0, 0);
    }
  }

  private static double secondsOf(Job job, int branch) {
    CudaDriver driver = job.gpu.driver();
    CudaDriver.Event start = driver.openTimer();
    CudaDriver.Event end = driver.openTimer();
    driver.record(start, job.gpu.stream());
    job.round(branch);
    driver.record(end, job.gpu.stream());
    driver.await(end);
    double seconds = driver.millis(start, end) / 1e3;
    driver.close(start);
    driver.close(end);
    return seconds;
  }

  /// Whether the memory of the double has the parameters of a page.
  @SuppressWarnings("restricted") // of the size of a page
  private static boolean holds(Job job, int table, int page) {
    float[] all = job.plain.get(0)[table].w();
    int first = (int) job.layout.firstRowOf(page) * COLUMNS;
    int count = (int) (job.layout.endRowOf(page) - job.layout.firstRowOf(page)) * COLUMNS;
    long address = job.store.pagesOf(ROOT).table(table).page(page).address();
    float[] found =
        MemorySegment.ofAddress(address).reinterpret(4L * count).toArray(ValueLayout.JAVA_FLOAT);
    return Arrays.equals(found, Arrays.copyOfRange(all, first, first + count));
  }

  @Test
  @SuppressWarnings("restricted") // of the size of a page
  void whatIsReadAsItWasWaitsForNoWorkThatCameLater() {
    assumeDouble();
    TestDevice.schedule(TestDevice.Schedule.LATE, 0);
    try (Gpu gpu = TestDevice.open();
        PagePools device = new PagePools(gpu.deviceTier(), new MemoryBudget(1 << 20));
        Arena arena = Arena.ofConfined()) {
      MemorySegment ones = arena.allocate(PAGE_BYTES).fill((byte) 1);
      MemorySegment copy = arena.allocate(PAGE_BYTES);
      Page read = device.ofSize(PAGE_BYTES).acquire();
      read.upload(ones, 0);
      read.zero();
      SettledPages settled = new SettledPages(List.of(read));
      Page written = device.ofSize(PAGE_BYTES).acquire();
      written.upload(ones, 0);
      written.zero();
      MemorySegment there = MemorySegment.ofAddress(written.address()).reinterpret(PAGE_BYTES);
      settled.download(read, 0, copy);
      assertThat(copy.get(ValueLayout.JAVA_BYTE, 0)).isZero();
      assertThat(there.get(ValueLayout.JAVA_BYTE, 0)).as("queued work").isEqualTo((byte) 1);
      written.download(0, copy);
      assertThat(copy.get(ValueLayout.JAVA_BYTE, 0)).isZero();
    }
  }

  @Test
  void whatFitsDoesNotMove() {
    try (Job job = new Job(2, 100)) {
      job.round(0);
      job.round(0);
      assertThat(job.set.residentPages()).isEqualTo(80);
      assertThat(job.set.bytesIn()).isZero();
      assertThat(job.set.bytesOut()).isZero();
    }
  }

  @Test
  void onlyWhatPassesMovesInARoundAndOnlyWhatDiffersAtASwitch() {
    try (Job job = new Job(3, 52)) {
      job.round(0);
      job.round(0);
      long in = job.set.bytesIn();
      long out = job.set.bytesOut();
      job.round(0);
      assertThat(job.set.residentPages()).isEqualTo(40);
      // Each passing page is read once and written once; the last four of a direction stay for the
      // next. What is only read does not leave by a copy.
      assertThat(job.set.bytesIn() - in).isBetween(60L * PAGE_BYTES, 80L * PAGE_BYTES);
      assertThat(job.set.bytesOut() - out).isBetween(36L * PAGE_BYTES, 40L * PAGE_BYTES);
      // A branch that differs in one page of a resident part needs that page only.
      int trial = job.fork(0);
      PageVisit read = job.plan.getFirst();
      job.visit(0, 0);
      in = job.set.bytesIn();
      job.visit(trial, 0);
      assertThat(read.writes()).isFalse();
      assertThat(job.set.bytesIn() - in).isLessThanOrEqualTo(4L * PAGE_BYTES);
    }
  }

  @Test
  void aVisitThatCannotFitIsRefusedWithItsNumbers() {
    assertThatThrownBy(() -> new Placement(List.of(new PageVisit(0, 0, 9, true)), 8))
        .hasMessage("pages of a visit must be <= 8, which the device's budget holds, but are 9");
  }

  /// Of 80 pages a clock touches 16, and 20 find room: nothing moves once that is known.
  @Test
  void roundsThatRepeatSayWhatStays() {
    try (Job job = new Job(5, 20)) {
      int[] touched = {2, 7, 11, 14};
      long before = 0;
      for (int round = 0; round < 6; round++) {
        for (int visit : touched) {
          job.visit(0, visit);
        }
        for (int visit : touched) {
          job.visit(0, job.plan.size() - 1 - visit);
        }
        job.set.endRound();
        if (round == 2) {
          before = job.set.bytesIn();
        }
      }
      assertThat(job.set.residentPages()).isEqualTo(16);
      assertThat(job.set.bytesIn()).isEqualTo(before);
      for (int visit = 0; visit < job.plan.size(); visit++) {
        job.visit(0, visit);
      }
    }
  }

  @Test
  void anOrderIsFollowedWhenItRepeats() {
    var order = new VisitOrder(5);
    assertThat(order.after(4)).isZero();
    for (int round = 0; round < 2; round++) {
      for (int visit : new int[] {3, 1, 3, 4}) {
        order.visit(visit);
      }
      assertThat(order.endRound()).isEqualTo(round == 1);
    }
    assertThat(order.round()).containsExactly(3, 1, 4);
    assertThat(order.after(3)).isEqualTo(1);
    assertThat(order.after(4)).as("round again").isEqualTo(3);
    assertThat(order.after(0)).as("outside of the round").isEqualTo(3);
    order.visit(0);
    assertThat(order.endRound()).as("one round that differs").isFalse();
    assertThat(order.round()).containsExactly(3, 1, 4);
    assertThat(order.endRound()).as("a round without visits").isFalse();
  }

  @Test
  void pagesThatStayAreSpreadOverTheVisits() {
    Placement placement = new Placement(plan(40, 4), 52);
    assertThat(placement.pages()).isEqualTo(80);
    assertThat(placement.residentPages()).isEqualTo(40);
    for (int first = 0; first < 40; first += 4) {
      int stay = 0;
      for (int page = first; page < first + 4; page++) {
        stay += placement.staysOnDevice(0, page) ? 1 : 0;
      }
      assertThat(stay).isEqualTo(2);
    }
  }
}
