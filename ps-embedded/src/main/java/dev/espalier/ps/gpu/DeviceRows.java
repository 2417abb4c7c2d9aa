package dev.espalier.ps.gpu;

import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.branch.PageRuns;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.memory.Page;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.optim.UpdateRule;
import dev.espalier.ps.table.RowSelection;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntToLongFunction;
import org.jspecify.annotations.Nullable;

/// Reads, assigns and steps rows of page tables whose pages lie on a device.
///
/// Whatever the number of pages, one launch does the work of one chunk of values. Work is queued;
/// only what returns values to the host waits. Not thread-safe.
public final class DeviceRows implements AutoCloseable {
  /*
   * Pages are named by runs, lists of (from, to, offset, length), which are written in pinned memory
   * and copied ahead of the launch in its stream. A rule steps a page that is not shared in place
   * and a shared one into a fresh page; the fresh page takes its place in the table only when the
   * launch is queued, because a page that comes back to its pool may be handed out again at once, and
   * the order of the stream then protects it.
   */
  private static final long CHUNK_BYTES = 16L << 20;
  private static final int RUNS_PER_LAUNCH = 1 << 15;

  /// What values and lists travel through takes as much at most, of the device and of pinned memory
  /// each, beside the pages.
  public static final long STAGING_BYTES = Staging.SLOTS * CHUNK_BYTES;

  /// One optimizer step of a table.
  ///
  /// @param rule the update rule
  /// @param stepSize learning rate and momentum
  /// @param number of the step in the table's history, 1 for the first
  /// @param divisor what sums of gradients are divided by
  public record Step(UpdateRule rule, StepSize stepSize, long number, float divisor) {}

  /// Fresh pages that take their places in a table when they are written, or go back to their pool
  /// when something failed before that.
  private static final class FreshPages implements AutoCloseable {
    private record Written(int page, Page target) {}

    private final PageTable pages;
    private final List<Written> written = new ArrayList<>();

    FreshPages(PageTable pages) {
      this.pages = pages;
    }

    /// The page to write; to be written before the next [#install].
    Page target(int page) {
      Page target = pages.target(page);
      if (target != pages.page(page)) {
        written.add(new Written(page, target));
      }
      return target;
    }

    /// Puts those in their places whose writing is queued.
    void install() {
      written.forEach(fresh -> pages.install(fresh.page(), fresh.target()));
      written.clear();
    }

    @Override
    public void close() {
      written.forEach(fresh -> fresh.target().release());
    }
  }

  private final DeviceKernels kernels;
  private final Staging staging;

  /// Works on a device's stream.
  public DeviceRows(Gpu gpu) {
    kernels = new DeviceKernels(gpu);
    staging = new Staging(gpu.driver(), gpu.stream());
  }

  /// The kernels.
  DeviceKernels kernels() {
    return kernels;
  }

  // ---- reads

  /// Copies parameters to the host.
  ///
  /// @param pages the table
  /// @param rows which rows, each of the table's range
  /// @param into receives `rows x columns` floats from its start
  public void read(PageTable pages, RowSelection rows, float[] into) {
    int columns = pages.layout().columns();
    int most = rowsPerChunk(pages.layout(), rows);
    for (int first = 0; first < rows.count(); first += most) {
      int count = Math.min(most, rows.count() - first);
      long bytes = 4L * count * columns;
      Staging.Slot out = staging.take(bytes);
      gather(pages, rows, first, count, out.device());
      MemorySegment.copy(
          out.receive(bytes), ValueLayout.JAVA_FLOAT, 0, into, first * columns, count * columns);
    }
  }

  /// Queues a copy of parameters that stays on the device.
  ///
  /// @param pages the table
  /// @param rows which rows, each of the table's range
  /// @param into address on the device that receives `rows x columns` floats
  public void read(PageTable pages, RowSelection rows, long into) {
    if (rows.count() > 0) {
      gather(pages, rows, 0, rows.count(), into);
    }
  }

  private void gather(PageTable pages, RowSelection rows, int first, int count, long out) {
    if (rows instanceof RowSelection.Range range) {
      moveRuns(
          pages,
          new RowSelection.Range(range.first() + first, count),
          (run, page, offset, at, length) ->
              run.add(page.address(), out + at - offset, 0, offset, 0, length));
    } else {
      Span span = Span.of(pages.layout(), rows, first, count);
      kernels.gather(
          tableOf(pages, span.firstPage(), span.endPage()),
          keysOf(pages, rows, first, count, span),
          count,
          out);
    }
  }

  /// The pages that some rows of a selection lie in, and all between them.
  private record Span(int firstPage, int endPage) {
    static Span of(PageLayout layout, RowSelection rows, int first, int count) {
      long lowest = Long.MAX_VALUE;
      long highest = 0;
      for (int i = first; i < first + count; i++) {
        lowest = Math.min(lowest, rows.row(i));
        highest = Math.max(highest, rows.row(i));
      }
      return new Span(layout.pageOf(lowest), layout.pageOf(highest) + 1);
    }
  }

  /// The addresses of some pages, on the device; rows are counted from the first of them.
  ///
  /// @param firstPage first page
  /// @param endPage page after the last one
  DeviceKernels.Table tableOf(PageTable pages, int firstPage, int endPage) {
    long bytes = 8L * (endPage - firstPage);
    Staging.Slot slot = staging.take(bytes);
    for (int page = firstPage; page < endPage; page++) {
      slot.host().setAtIndex(ValueLayout.JAVA_LONG, page - firstPage, pages.page(page).address());
    }
    PageLayout layout = pages.layout();
    return new DeviceKernels.Table(slot.send(bytes), layout.rowsPerPage(), layout.columns());
  }

  private long keysOf(PageTable pages, RowSelection rows, int first, int count, Span span) {
    Staging.Slot slot = staging.take(8L * count);
    long firstRow = pages.layout().firstRowOf(span.firstPage());
    for (int i = 0; i < count; i++) {
      slot.host().setAtIndex(ValueLayout.JAVA_LONG, i, rows.row(first + i) - firstRow);
    }
    return slot.send(8L * count);
  }

  // ---- assignments

  /// Sets parameters; optimizer state stays.
  ///
  /// @param values `rows x columns` floats
  public void assign(PageTable pages, RowSelection rows, float[] values) {
    int columns = pages.layout().columns();
    int most = rowsPerChunk(pages.layout(), rows);
    BitSet touched = new BitSet();
    PageRuns.forEach(rows, pages.layout(), (page, _, _, _) -> touched.set(page));
    own(pages, touched);
    for (int first = 0; first < rows.count(); first += most) {
      int count = Math.min(most, rows.count() - first);
      Staging.Slot slot = staging.take(4L * count * columns);
      MemorySegment.copy(
          values, first * columns, slot.host(), ValueLayout.JAVA_FLOAT, 0, count * columns);
      long in = slot.send(4L * count * columns);
      moveRuns(
          pages,
          part(rows, first, count),
          (run, page, offset, at, length) ->
              run.add(in + at - offset, page.address(), 0, offset, 0, length));
    }
  }

  /// Adds to parameters, without an update rule.
  ///
  /// @param rows which rows, each of the table's range
  /// @param values address on the device of `rows x columns` floats
  /// @param factor what they are multiplied by
  /// @param mayRepeat whether rows may be equal; then the order of their additions is not defined
  public void scatterAdd(
      PageTable pages, RowSelection rows, long values, float factor, boolean mayRepeat) {
    if (rows.count() == 0) {
      return;
    }
    BitSet touched = new BitSet();
    PageRuns.forEach(rows, pages.layout(), (page, _, _, _) -> touched.set(page));
    own(pages, touched);
    Span span = Span.of(pages.layout(), rows, 0, rows.count());
    kernels.scatterAdd(
        tableOf(pages, span.firstPage(), span.endPage()),
        keysOf(pages, rows, 0, rows.count(), span),
        rows.count(),
        values,
        factor,
        mayRepeat);
  }

  private static RowSelection part(RowSelection rows, int first, int count) {
    return switch (rows) {
      case RowSelection.Range range -> new RowSelection.Range(range.first() + first, count);
      case RowSelection.Keys keys ->
          new RowSelection.Keys(Arrays.copyOfRange(keys.keys(), first, first + count));
    };
  }

  private interface Move {
    /// @param offset of the run in its page, in bytes
    /// @param at offset of the run's values in the buffer, in bytes
    void write(RunWriter run, Page page, long offset, long at, int length);
  }

  /// Copies between pages and a buffer.
  private void moveRuns(PageTable pages, RowSelection rows, Move move) {
    PageLayout layout = pages.layout();
    RunList runs = new RunList();
    PageRuns.forEach(
        rows,
        layout,
        (page, firstRow, count, position) -> {
          runs.flushIfFull(this::copy);
          move.write(
              runs.writer(),
              pages.page(page),
              layout.offsetOf(firstRow),
              4L * position * layout.columns(),
              count * layout.columns());
        });
    runs.flush(this::copy);
  }

  private void copy(long runs, int count, int longest) {
    kernels.copy(runs, count, longest);
  }

  /// Makes pages writable: copies those that are shared, all in one launch.
  private void own(PageTable pages, BitSet touched) {
    int floats = (int) (pages.layout().planes() * pages.layout().planeBytes() / 4);
    RunList runs = new RunList();
    try (FreshPages fresh = new FreshPages(pages)) {
      for (int page = touched.nextSetBit(0); page >= 0; page = touched.nextSetBit(page + 1)) {
        Page target = fresh.target(page);
        if (target != pages.page(page)) {
          runs.flushIfFull(this::copy);
          runs.writer().add(pages.page(page).address(), target.address(), 0, 0, 0, floats);
        }
      }
      runs.flush(this::copy);
      fresh.install();
    }
  }

  // ---- steps

  /// Takes one optimizer step on some rows.
  ///
  /// @param rows which rows, each at most once
  /// @param gradients `rows x columns` sums of per-sample gradients
  /// @param step the step
  /// @param seen address of a page as the pushing worker had read it, 0 where nothing was missed
  public void update(
      PageTable pages, RowSelection rows, float[] gradients, Step step, IntToLongFunction seen) {
    own(pages, partlyWritten(pages, rows));
    try (StepWriter writer = new StepWriter(pages, step, seen, gradients)) {
      PageRuns.forEach(rows, pages.layout(), writer);
      writer.flush();
    }
  }

  /// Takes one optimizer step on all rows, with gradients that lie on the device.
  ///
  /// @param gradients address of `rows x columns` sums of per-sample gradients, written by work
  ///   that the device's stream is ordered behind
  public void updateAll(PageTable pages, long gradients, Step step) {
    updatePages(pages, 0, pages.layout().pageCount(), gradients, step);
  }

  /// Takes one optimizer step on all rows of some pages, with gradients that lie on the device.
  ///
  /// @param firstPage first page
  /// @param endPage page after the last one
  /// @param gradients address of the sums for the first row of the first page
  public void updatePages(PageTable pages, int firstPage, int endPage, long gradients, Step step) {
    PageLayout layout = pages.layout();
    RunList runs = new RunList();
    try (FreshPages fresh = new FreshPages(pages)) {
      RunList.Launch launch =
          (address, count, longest) -> {
            step(layout, step, address, count, longest, gradients);
            fresh.install();
          };
      for (int page = firstPage; page < endPage; page++) {
        runs.flushIfFull(launch);
        long firstRow = layout.firstRowOf(page);
        runs.writer()
            .add(
                pages.page(page).address(),
                fresh.target(page).address(),
                0,
                0,
                (firstRow - layout.firstRowOf(firstPage)) * layout.columns(),
                (int) (layout.endRowOf(page) - firstRow) * layout.columns());
      }
      runs.flush(launch);
    }
  }

  private void step(
      PageLayout layout, Step step, long runs, int count, int longest, long gradients) {
    step.rule()
        .step(
            kernels,
            new DeviceSpan(runs, count, longest, layout.planeBytes(), gradients, step.divisor()),
            step.stepSize(),
            step.number());
  }

  /// Pages of which the selection holds some rows but not, in one run, all.
  private static BitSet partlyWritten(PageTable pages, RowSelection rows) {
    PageLayout layout = pages.layout();
    BitSet partly = new BitSet();
    PageRuns.forEach(
        rows,
        layout,
        (page, firstRow, count, _) -> {
          if (!isWhole(layout, page, firstRow, count)) {
            partly.set(page);
          }
        });
    return partly;
  }

  private static boolean isWhole(PageLayout layout, int page, long firstRow, int rows) {
    return firstRow == layout.firstRowOf(page) && firstRow + rows == layout.endRowOf(page);
  }

  /// So few that their values fit a chunk and, where each may be a run, their runs a launch.
  private static int rowsPerChunk(PageLayout layout, RowSelection rows) {
    int fitting = Math.toIntExact(Math.max(1, CHUNK_BYTES / (4L * layout.columns())));
    return rows instanceof RowSelection.Keys ? Math.min(fitting, RUNS_PER_LAUNCH) : fitting;
  }

  /// Packs gradients of the host and their runs, and launches a chunk at a time.
  private final class StepWriter implements PageRuns.Visitor, AutoCloseable {
    private final PageTable pages;
    private final Step step;
    private final IntToLongFunction seen;
    private final float[] gradients;
    private final RunList runs = new RunList();
    private final FreshPages fresh;
    private Staging.@Nullable Slot slot;
    private long bytes;

    StepWriter(PageTable pages, Step step, IntToLongFunction seen, float[] gradients) {
      this.pages = pages;
      this.step = step;
      this.seen = seen;
      this.gradients = gradients;
      fresh = new FreshPages(pages);
    }

    @Override
    public void run(int page, long firstRow, int rows, int position) {
      PageLayout layout = pages.layout();
      int length = rows * layout.columns();
      if (alignedBytes() + Math.min(CHUNK_BYTES, 4L * length) > CHUNK_BYTES || runs.isFull()) {
        flush();
      }
      long from = pages.page(page).address();
      long to = fresh.target(page).address();
      // A page larger than a chunk is stepped in pieces, each from the page as it was: it takes its
      // place with the last of them.
      for (int done = 0; done < length; ) {
        if (done > 0) {
          launch();
        }
        int piece = Math.min(length - done, (int) (CHUNK_BYTES / 4));
        long start = alignedBytes();
        MemorySegment.copy(
            gradients,
            position * layout.columns() + done,
            slot().host(),
            ValueLayout.JAVA_FLOAT,
            start,
            piece);
        bytes = start + 4L * piece;
        runs.writer()
            .add(
                from,
                to,
                seen.applyAsLong(page),
                layout.offsetOf(firstRow) + 4L * done,
                start / 4,
                piece);
        done += piece;
      }
    }

    /// Gradients of a run start at a multiple of 16 bytes, so that whole pages are stepped in
    /// fours.
    private long alignedBytes() {
      return (bytes + 15) / 16 * 16;
    }

    private Staging.Slot slot() {
      if (slot == null) {
        slot = staging.take(CHUNK_BYTES);
      }
      return slot;
    }

    private void launch() {
      if (bytes > 0) {
        long address = slot().send(bytes);
        runs.flush(
            (list, count, longest) -> step(pages.layout(), step, list, count, longest, address));
        slot = null;
        bytes = 0;
      }
    }

    void flush() {
      launch();
      fresh.install();
    }

    /// Gives fresh pages back that are not written.
    @Override
    public void close() {
      fresh.close();
    }
  }

  /// Runs that grow until a launch takes them.
  private final class RunList {
    /// What is done with the runs.
    interface Launch {
      void run(long runs, int count, int longest);
    }

    private Staging.@Nullable Slot slot;
    private RunWriter writer = new RunWriter(MemorySegment.NULL);

    RunWriter writer() {
      if (slot == null) {
        slot = staging.take((long) RUNS_PER_LAUNCH * RunWriter.BYTES);
        writer = new RunWriter(slot.host().asSlice(0, (long) RUNS_PER_LAUNCH * RunWriter.BYTES));
      }
      return writer;
    }

    boolean isFull() {
      return slot != null && writer.isFull();
    }

    void flushIfFull(Launch launch) {
      if (isFull()) {
        flush(launch);
      }
    }

    void flush(Launch launch) {
      if (slot != null) {
        launch.run(slot.send(writer.bytes()), writer.count(), writer.longest());
        slot = null;
      }
    }
  }

  /// Frees the buffers.
  @Override
  public void close() {
    staging.close();
  }
}
