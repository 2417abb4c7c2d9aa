package dev.espalier.ps.shard;

import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.branch.PageRuns;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.StepSpan;
import dev.espalier.ps.table.RowBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Steps of narrow rows that lie apart: they are copied side by side, stepped by one call of a
/// kernel and copied back, for a call for each row takes longer than what it computes.
///
/// Not thread-safe; the shard guards it.
final class GatheredStep {
  /// Wider rows are stepped where they lie.
  private static final int MAX_COLUMNS = 2;

  private static final int MAX_PLANES = 8;

  /// So many floats of each plane lie in the innermost cache, with their gradients.
  private static final int CHUNK = 1024;

  private static final long PLANE_BYTES = (long) CHUNK * Float.BYTES;
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

  private final RowKernels kernels;
  private final MemorySegment chunk = Arena.ofAuto().allocate(MAX_PLANES * PLANE_BYTES, 64);
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
  void take(TablePart table, PageTable pageTable, RowBatch batch, TablePart.Step step) {
    var floats = new Floats(table, pageTable, batch, step);
    PageRuns.forEach(batch.rows(), table.layout(), floats);
    floats.step();
  }

  /// Gathers the floats of rows until a chunk is full.
  private final class Floats implements PageRuns.Visitor {
    private final TablePart table;
    private final PageLayout layout;
    private final PageTable pageTable;
    private final RowBatch batch;
    private final TablePart.Step step;
    private int gradient;
    private int length;
    private int pageOnHand = -1;
    private MemorySegment segment = MemorySegment.NULL;

    Floats(TablePart table, PageTable pageTable, RowBatch batch, TablePart.Step step) {
      this.table = table;
      layout = table.layout();
      this.pageTable = pageTable;
      this.batch = batch;
      this.step = step;
      gradient = batch.from();
    }

    @Override
    public void run(int page, long firstRow, int rows, int position) {
      if (page != pageOnHand) {
        segment = pageTable.owned(page).segment();
        pageOnHand = page;
      }
      long offset = layout.offsetIn(page, firstRow);
      int count = rows * layout.columns();
      for (int i = 0; i < count; i++) {
        pages[length] = segment;
        offsets[length] = offset + 4L * i;
        if (++length == CHUNK) {
          step();
        }
      }
    }

    void step() {
      if (length == 0) {
        return;
      }
      for (int plane = 0; plane < layout.planes(); plane++) {
        long at = plane * layout.planeBytes();
        long to = plane * PLANE_BYTES;
        for (int i = 0; i < length; i++) {
          chunk.set(FLOAT, to + 4L * i, pages[i].get(FLOAT, offsets[i] + at));
        }
      }
      table
          .rule()
          .step(
              kernels,
              new StepSpan(
                  chunk,
                  chunk,
                  0,
                  PLANE_BYTES,
                  batch.array(),
                  gradient,
                  step.divisor(),
                  length,
                  null),
              step.stepSize(),
              step.stepNumber());
      for (int plane = 0; plane < layout.planes(); plane++) {
        long at = plane * layout.planeBytes();
        long from = plane * PLANE_BYTES;
        for (int i = 0; i < length; i++) {
          pages[i].set(FLOAT, offsets[i] + at, chunk.get(FLOAT, from + 4L * i));
        }
      }
      gradient += length;
      length = 0;
    }
  }
}
