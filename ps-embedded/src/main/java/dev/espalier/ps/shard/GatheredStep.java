package dev.espalier.ps.shard;

import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.branch.PageRuns;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.StepSpan;
import dev.espalier.ps.table.RowBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Steps of rows that lie apart: they are copied side by side, stepped by one call of a kernel and
/// copied back.
///
/// A call for each row takes longer than what it computes, and asks memory for one row after the
/// other; copies ask for many at once. Not thread-safe; the shard guards it.
final class GatheredStep {
  /// Wider rows are stepped where they lie.
  private static final int MAX_COLUMNS = 48;

  /// A run of so many floats is stepped where it lies, too.
  private static final int LONG_RUN = 256;

  private static final int MAX_PLANES = 8;

  /// So many floats of each plane lie in the innermost cache, with their gradients.
  private static final int CHUNK = 1024;

  /// Narrower rows are copied float by float, as if they were as many rows.
  private static final int MIN_COPIED_COLUMNS = 4;

  private static final long PLANE_BYTES = (long) CHUNK * Float.BYTES;

  private final RowKernels kernels;
  private final MemorySegment chunk = Arena.ofAuto().allocate(MAX_PLANES * PLANE_BYTES, 64);

  // Where the rows of the chunk belong: a page, and an offset in its plane 0 in bytes.
  private final MemorySegment[] pages = new MemorySegment[CHUNK];
  private final long[] offsets = new long[CHUNK];

  GatheredStep(RowKernels kernels) {
    this.kernels = kernels;
  }

  /// Whether it is the better way for updates of some rows of a table.
  static boolean suits(PageLayout layout) {
    return layout.columns() <= MAX_COLUMNS && layout.planes() <= MAX_PLANES;
  }

  /// Takes a step of the rows of a batch, where nothing was missed.
  ///
  /// @param whereTheyLie takes it of rows that had better be stepped there
  void take(
      TablePart table,
      PageTable pageTable,
      RowBatch batch,
      TablePart.Step step,
      PageRuns.Visitor whereTheyLie) {
    var rows = new Rows(table, pageTable, batch, step, whereTheyLie);
    PageRuns.forEach(batch.rows(), table.layout(), rows);
    rows.step();
  }

  /// Gathers rows until the chunk is full.
  private final class Rows implements PageRuns.Visitor {
    private final TablePart table;
    private final PageLayout layout;
    private final PageTable pageTable;
    private final RowBatch batch;
    private final TablePart.Step step;
    private final PageRuns.Visitor whereTheyLie;
    private final int width;
    private int gradient;
    private int count;
    private int pageOnHand = -1;
    private MemorySegment segment = MemorySegment.NULL;

    Rows(
        TablePart table,
        PageTable pageTable,
        RowBatch batch,
        TablePart.Step step,
        PageRuns.Visitor whereTheyLie) {
      this.table = table;
      layout = table.layout();
      this.pageTable = pageTable;
      this.batch = batch;
      this.step = step;
      this.whereTheyLie = whereTheyLie;
      width = layout.columns() < MIN_COPIED_COLUMNS ? 1 : layout.columns();
      gradient = batch.from();
    }

    @Override
    public void run(int page, long firstRow, int rows, int position) {
      int length = rows * layout.columns();
      if (length >= LONG_RUN) {
        step();
        whereTheyLie.run(page, firstRow, rows, position);
        gradient += length;
        // It may have taken the page's place by another one.
        pageOnHand = -1;
        return;
      }
      if (page != pageOnHand) {
        segment = pageTable.owned(page).segment();
        pageOnHand = page;
      }
      long offset = layout.offsetIn(page, firstRow);
      long end = offset + (long) length * Float.BYTES;
      for (; offset < end; offset += (long) width * Float.BYTES) {
        pages[count] = segment;
        offsets[count] = offset;
        if (++count == CHUNK / width) {
          step();
        }
      }
    }

    void step() {
      if (count == 0) {
        return;
      }
      for (int plane = 0; plane < layout.planes(); plane++) {
        long shift = plane * layout.planeBytes();
        kernels.gatherRows(pages, offsets, shift, count, width, chunk, plane * PLANE_BYTES);
      }
      int length = count * width;
      var span =
          new StepSpan(
              chunk, chunk, 0, PLANE_BYTES, batch.array(), gradient, step.divisor(), length, null);
      table.rule().step(kernels, span, step.stepSize(), step.stepNumber());
      for (int plane = 0; plane < layout.planes(); plane++) {
        long shift = plane * layout.planeBytes();
        kernels.scatterRows(chunk, plane * PLANE_BYTES, pages, offsets, shift, count, width);
      }
      gradient += length;
      count = 0;
    }
  }
}
