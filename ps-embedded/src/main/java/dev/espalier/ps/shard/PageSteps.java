package dev.espalier.ps.shard;

import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.kernel.StepKernels;
import dev.espalier.ps.kernel.StepSpan;
import dev.espalier.ps.machine.Cores;
import dev.espalier.ps.memory.Page;
import java.util.ArrayList;
import java.util.List;

/// A step of parts of a table's pages that do not meet, taken by several cores where there is much
/// to do.
///
/// Pages become the table's when all parts are done. Not thread-safe.
final class PageSteps implements AutoCloseable {
  /// What one core does at a time.
  private static final int MOST_FLOATS = 1 << 16;

  /// Of parameters and state: for less it is not worth while to wake another core.
  private static final long MIN_SHARED_BYTES = 8 << 20;

  private final TablePart table;
  private final PageTable pages;
  private final TablePart.Step step;
  private final Cores cores;
  private final List<One> all = new ArrayList<>();

  PageSteps(TablePart table, PageTable pages, TablePart.Step step, Cores cores) {
    this.table = table;
    this.pages = pages;
    this.step = step;
    this.cores = cores;
  }

  /// A step of a part of a page.
  ///
  /// @param page its index
  /// @param target the page as it will be
  record One(int page, Page target, StepSpan span, StepKernels<StepSpan> kernels) {
    One of(StepSpan part) {
      return new One(page, target, part, kernels);
    }
  }

  void add(One one) {
    all.add(one);
  }

  /// Takes the steps that were added.
  void take() {
    if (bytes() < MIN_SHARED_BYTES) {
      all.forEach(this::take);
    } else {
      share();
    }
    while (!all.isEmpty()) {
      install(all.removeLast());
    }
  }

  /// Takes a step at once.
  void takeNow(One one) {
    try {
      take(one);
    } catch (RuntimeException | Error failure) {
      release(one);
      throw failure;
    }
    install(one);
  }

  private void install(One one) {
    pages.install(one.page(), one.target());
  }

  /// Gives fresh pages back that have not become the table's.
  @Override
  public void close() {
    all.forEach(this::release);
  }

  private void release(One one) {
    if (one.target() != pages.page(one.page())) {
      one.target().release();
    }
  }

  private long bytes() {
    long floats = all.stream().mapToLong(one -> one.span().length()).sum();
    return floats * Float.BYTES * table.layout().planes();
  }

  private void share() {
    var pieces = new ArrayList<One>();
    for (One one : all) {
      StepSpan rest = one.span();
      for (; rest.length() > MOST_FLOATS; rest = rest.after(MOST_FLOATS)) {
        pieces.add(one.of(rest.first(MOST_FLOATS)));
      }
      pieces.add(one.of(rest));
    }
    cores.share(
        pieces.size(),
        1,
        (first, count) -> pieces.subList(first, first + count).forEach(this::take));
  }

  private void take(One one) {
    table.rule().step(one.kernels(), one.span(), step.stepSize(), step.stepNumber());
  }
}
