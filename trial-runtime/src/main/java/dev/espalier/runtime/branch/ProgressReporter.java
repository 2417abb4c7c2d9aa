package dev.espalier.runtime.branch;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.sdk.Progress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// Gathers the clocks of the branch that runs and reports them in batches.
///
/// Owned by the worker's loop; never blocks it.
final class ProgressReporter {
  private static final int BATCH = 512;
  private static final long AGE_NANOS = 100_000_000;

  private final Consumer<WorkerReport> sink;
  private final List<Double> lossSums = new ArrayList<>();
  private final List<Long> samples = new ArrayList<>();
  private final List<Double> seconds = new ArrayList<>();
  private BranchId branch = BranchId.ROOT;
  private long fromClock;
  private long flushedNanos;

  /// @param nowNanos of the clock of [#add]
  ProgressReporter(Consumer<WorkerReport> sink, long nowNanos) {
    this.sink = sink;
    flushedNanos = nowNanos;
  }

  void add(BranchId of, long clock, Progress progress, double clockSeconds, long nowNanos) {
    if (!lossSums.isEmpty() && (!branch.equals(of) || clock != fromClock + lossSums.size())) {
      flush();
    }
    if (lossSums.isEmpty()) {
      branch = of;
      fromClock = clock;
    }
    lossSums.add(progress.lossSum());
    samples.add((long) progress.samples());
    seconds.add(clockSeconds);
    if (lossSums.size() >= BATCH || nowNanos - flushedNanos > AGE_NANOS) {
      flush();
      flushedNanos = nowNanos;
    }
  }

  void flush() {
    if (!lossSums.isEmpty()) {
      sink.accept(new WorkerReport.Progressed(branch, fromClock, lossSums, samples, seconds));
      lossSums.clear();
      samples.clear();
      seconds.clear();
    }
  }
}
