package dev.espalier.ps.shard;

import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.machine.Cores;
import dev.espalier.ps.memory.Page;
import dev.espalier.ps.memory.StreamingCopy;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowValues;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Gradients of all rows of a shard's part of a table, where its parameters will be: in plane 0 of
/// fresh pages.
///
/// A step that writes parameters over their gradient moves as many bytes for them as one in place,
/// for it has just read what it overwrites. Not thread-safe: they are the worker's until they are
/// pushed, and then the shard's.
final class GradientPages implements RowValues.InPages {
  /// So many floats are worth the call.
  private static final int MIN_STREAMED = 4096;

  private static final int MOST_STREAMED = 1 << 18;

  private final RowKernels kernels;
  private final Optional<StreamingCopy> streaming;
  private final Cores cores;
  private final PageLayout layout;

  /// Null from where one has become a page of the table.
  private final @Nullable Page[] pages;

  /// @param kernels the arithmetic
  /// @param streaming copies past the caches, if that is the better way
  /// @param layout of the table's part
  /// @param fresh as many pages as it has, each with one reference
  GradientPages(
      RowKernels kernels,
      Optional<StreamingCopy> streaming,
      Cores cores,
      PageLayout layout,
      List<Page> fresh) {
    this.kernels = kernels;
    this.streaming = streaming;
    this.cores = cores;
    this.layout = layout;
    pages = fresh.toArray(new Page[0]);
  }

  @Override
  public int count() {
    return Math.multiplyExact(rows(), layout.columns());
  }

  private int rows() {
    return Math.toIntExact(layout.range().count());
  }

  @Override
  public void set(int first, int count, float[] values, int offset) {
    forEach(
        first,
        count,
        (to, toOffset, from, length) -> set(values, offset + from, to, toOffset, length));
  }

  private void set(float[] values, int from, MemorySegment to, long toOffset, int length) {
    if (streaming.isEmpty() || length < MIN_STREAMED) {
      MemorySegment.copy(values, from, to, ValueLayout.JAVA_FLOAT, toOffset, length);
      return;
    }
    MemorySegment array = MemorySegment.ofArray(values);
    // The garbage collector waits for each of these.
    for (int done = 0; done < length; done += MOST_STREAMED) {
      int part = Math.min(MOST_STREAMED, length - done);
      streaming.get().copy(array, 4L * (from + done), to, toOffset + 4L * done, 4L * part);
    }
  }

  @Override
  public void add(int first, int count, float[] values, int offset) {
    forEach(
        first,
        count,
        (to, toOffset, from, length) -> kernels.add(values, offset + from, to, toOffset, length));
  }

  @Override
  public float[] download() {
    float[] values = new float[count()];
    forEach(
        0,
        rows(),
        (page, pageOffset, to, length) -> kernels.load(page, pageOffset, values, to, length));
    return values;
  }

  /// What is done with the values of one page.
  private interface Visitor {
    /// @param pageOffset of the first value, in bytes
    /// @param at index of the first value among those that are visited
    /// @param length number of values
    void visit(MemorySegment page, long pageOffset, int at, int length);
  }

  private void forEach(int first, int count, Visitor visitor) {
    int columns = layout.columns();
    SharedRuns.forEach(
        cores,
        new RowSelection.Range(layout.range().first() + first, count),
        layout,
        (page, firstRow, rows, position) ->
            visitor.visit(
                here(page).segment(),
                layout.offsetIn(page, firstRow),
                position * columns,
                rows * columns));
  }

  private Page here(int index) {
    Page page = pages[index];
    if (page == null) {
      throw new IllegalStateException("page %d of gradients was taken already".formatted(index));
    }
    return page;
  }

  /// Hands a page over, with its reference.
  Page take(int index) {
    Page page = here(index);
    pages[index] = null;
    return page;
  }

  @Override
  public void release() {
    for (int i = 0; i < pages.length; i++) {
      if (pages[i] != null) {
        take(i).release();
      }
    }
  }
}
