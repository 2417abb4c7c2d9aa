package dev.espalier.ps;

import dev.espalier.ps.cache.UpdateBuffer;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.plan.AccessLog;
import dev.espalier.ps.plan.AccessPlan;
import dev.espalier.ps.plan.PackedRows;
import dev.espalier.ps.plan.PlanCompiler;
import dev.espalier.ps.plan.PlanOptions;
import dev.espalier.ps.plan.PlanRun;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// A session's accesses along a plan, and how it comes by one: from a virtual iteration, or from
/// two clocks in a row that made the same accesses.
///
/// What it does not serve goes the general way: an access that is not the next one of the plan
/// leaves the plan for the rest of the clock, and what was added so far goes with it. Belongs to
/// the session's thread.
final class PlannedAccess {
  /* After so many clocks in a row that were no repetition of the one before, a program is taken for
   * one that never repeats, until it trains a branch that was not there then. */
  private static final int MAX_MISSES = 4;
  private static final int MAX_WATCHED_ACCESSES = 1 << 26;

  private enum Mode {
    OFF,
    RECORDING,
    WATCHING,
    RUNNING,
    LEFT
  }

  /// The rows of one clock, by table and slot, on their way or here.
  private static final class Fetch {
    private final Moment moment;
    private final float[] @Nullable [] values;
    private final List<CompletableFuture<ShardReply>> replies = new ArrayList<>();
    private final List<Integer> shards = new ArrayList<>();
    private boolean isHere;

    Fetch(Moment moment, float[] @Nullable [] values) {
      this.moment = moment;
      this.values = values;
    }
  }

  private final List<Partitioner> partitioners;
  private final int[] columns;
  private final int shards;
  private final RowKernels kernels;
  private final UpdateBuffer updates;
  private final IntFunction<float[]> arrays;
  private final ShardCalls calls;
  private PlanOptions options = PlanOptions.all();
  private Mode mode = Mode.OFF;
  private boolean isAutomatic;
  private AccessLog log = new AccessLog();
  private AccessLog before = new AccessLog();
  private int misses;
  private @Nullable Moment now;
  private @Nullable PlanRun run;

  /// The run, while accesses of the clock on hand are along the plan; what changes `mode`, `run` or
  /// `now` says so by [#settle].
  private @Nullable PlanRun along;

  private @Nullable Fetch fetch;

  PlannedAccess(
      List<TableSpec> tables,
      List<Partitioner> partitioners,
      RowKernels kernels,
      UpdateBuffer updates,
      IntFunction<float[]> arrays,
      ShardCalls calls) {
    this.partitioners = partitioners;
    columns = tables.stream().mapToInt(TableSpec::columns).toArray();
    shards = partitioners.getFirst().shards();
    this.kernels = kernels;
    this.updates = updates;
    this.arrays = arrays;
    this.calls = calls;
  }

  // ---- how a plan comes about

  /// Looks out for clocks that repeat from now on.
  void watch(PlanOptions newOptions) {
    options = newOptions;
    isAutomatic = true;
    fetch = null;
    rewatch();
  }

  /// Forgets the plan and does not look out for another one.
  void stop() {
    isAutomatic = false;
    run = null;
    fetch = null;
    mode = Mode.OFF;
    settle();
  }

  private void settle() {
    along = mode == Mode.RUNNING && now != null ? run : null;
  }

  private void rewatch() {
    misses = 0;
    log.clear();
    before.clear();
    run = null;
    mode = isAutomatic ? Mode.WATCHING : Mode.OFF;
    settle();
  }

  /// A branch was born: its setting may bring other accesses.
  void onNewBranch() {
    if (isAutomatic && mode == Mode.OFF) {
      rewatch();
    }
  }

  void beginVirtualIteration() {
    if (mode == Mode.RECORDING) {
      throw new IllegalStateException("a virtual iteration has begun already");
    }
    leave();
    log.clear();
    mode = Mode.RECORDING;
    settle();
  }

  AccessPlan endVirtualIteration(PlanOptions newOptions) {
    if (mode != Mode.RECORDING) {
      throw new IllegalStateException("no virtual iteration has begun");
    }
    options = newOptions;
    return follow();
  }

  /// Makes a plan of the log and follows it.
  private AccessPlan follow() {
    AccessPlan plan = PlanCompiler.compile(log, partitioners);
    log = new AccessLog();
    before.clear();
    run = new PlanRun(plan, columns, shards, kernels, arrays, options);
    fetch = null;
    misses = 0;
    mode = Mode.RUNNING;
    settle();
    return plan;
  }

  boolean isRecording() {
    return mode == Mode.RECORDING;
  }

  // ---- accesses

  /// Serves a read of the plan.
  ///
  /// @return false when the caller must read
  boolean read(int table, long first, int count, float[] target, int offset) {
    PlanRun planned = along;
    return planned != null
        && ((count == 1 && planned.readSingle(table, first, target, offset))
            || (planned.isNextRead(table, first, count)
                && serve(planned, table, count, target, offset)));
  }

  /// Serves a read of the plan.
  ///
  /// @return false when the caller must read
  boolean read(int table, long[] rows, int count, float[] target) {
    PlanRun planned = along;
    return planned != null
        && planned.isNextRead(table, rows, count)
        && serve(planned, table, count, target, 0);
  }

  private boolean serve(PlanRun planned, int table, int count, float[] target, int offset) {
    if ((long) count * columns[table] > target.length - offset || offset < 0) {
      return false;
    }
    if (!options.packsRows()) {
      return false;
    }
    planned.read(table, rowsOf(planned, table), target, offset);
    return true;
  }

  /// Adds updates of the plan.
  ///
  /// @return false when the caller must add them
  boolean add(int table, long first, int count, float[] values, int offset) {
    PlanRun planned = along;
    return planned != null
        && ((count == 1 && planned.addSingle(table, first, values, offset))
            || (isRoomy(table, count, values.length, offset)
                && planned.add(table, first, count, values, offset)));
  }

  /// Adds updates of the plan.
  ///
  /// @return false when the caller must add them
  boolean add(int table, long[] rows, int count, float[] values) {
    PlanRun planned = along;
    return planned != null
        && isRoomy(table, count, values.length, 0)
        && planned.add(table, rows, count, values);
  }

  private boolean isRoomy(int table, int count, int length, int offset) {
    return table >= 0
        && table < columns.length
        && offset >= 0
        && (long) count * columns[table] <= length - offset;
  }

  /// Takes note of a sound access that goes the general way.
  void note(boolean isUpdate, int table, long first, int count) {
    if (isLogging()) {
      log.addRange(isUpdate, table, first, count);
    } else if (!isUnpackedRead(isUpdate) || run == null || !run.isNextRead(table, first, count)) {
      leave();
    } else {
      run.skip();
    }
  }

  /// Takes note of a sound access that goes the general way.
  void note(boolean isUpdate, int table, long[] rows, int count) {
    if (isLogging()) {
      log.addRows(isUpdate, table, rows, count);
    } else if (!isUnpackedRead(isUpdate) || run == null || !run.isNextRead(table, rows, count)) {
      leave();
    } else {
      run.skip();
    }
  }

  /// Whether the plan itself sends its reads the general way.
  private boolean isUnpackedRead(boolean isUpdate) {
    return mode == Mode.RUNNING && !isUpdate && !options.packsRows();
  }

  private boolean isLogging() {
    if (mode == Mode.WATCHING && log.size() >= MAX_WATCHED_ACCESSES) {
      mode = Mode.OFF;
      log = new AccessLog();
      before = new AccessLog();
    }
    return mode == Mode.WATCHING || mode == Mode.RECORDING;
  }

  /// Sees to it that all that was added so far is in the general buffer.
  void flush() {
    if (mode == Mode.RUNNING && run != null && run.made() > 0) {
      leave();
    }
  }

  /// Leaves the plan until the next clock; what was added so far goes the general way.
  void leave() {
    if (mode == Mode.RUNNING && run != null) {
      if (run.made() > 0) {
        run.leave(updates::add);
      }
      mode = Mode.LEFT;
      settle();
    }
  }

  // ---- clocks

  /// Starts a clock from its beginning: another branch, setting or purpose was chosen. A clock that
  /// has updates goes on where it is, with the new setting.
  ///
  /// @param moment null when no branch is selected any more
  void moveTo(@Nullable Moment moment) {
    now = moment;
    if (!hasUpdates()) {
      restart();
    }
    forgetRows();
    settle();
  }

  private boolean hasUpdates() {
    return !updates.isEmpty() || (mode == Mode.RUNNING && run != null && run.hasUpdates());
  }

  private void restart() {
    leave();
    if (mode != Mode.RECORDING) {
      log.clear();
    }
    if (mode == Mode.LEFT) {
      mode = Mode.RUNNING;
    }
  }

  private void forgetRows() {
    if (run != null) {
      run.forgetRows();
    }
  }

  /// Takes the updates of the clock out.
  List<List<RowBatch>> drain() {
    if (mode == Mode.RUNNING && run != null && run.isComplete()) {
      misses = 0;
      return run.drain();
    }
    boolean isMiss = mode == Mode.RUNNING || mode == Mode.LEFT;
    leave();
    List<List<RowBatch>> drained = updates.drain();
    if (isMiss) {
      mode = Mode.RUNNING;
      settle();
      if (++misses >= MAX_MISSES) {
        rewatch();
      }
    } else if (mode == Mode.WATCHING) {
      compare();
    }
    return drained;
  }

  private void compare() {
    if (log.size() > 0 && log.isSameAs(before)) {
      follow();
      return;
    }
    AccessLog older = before;
    before = log;
    log = older;
    log.clear();
    if (++misses > MAX_MISSES) {
      mode = Mode.OFF;
    }
  }

  /// Goes on to the next clock, and asks for its rows.
  void advance(Moment moment) {
    now = moment;
    forgetRows();
    settle();
    if (mode == Mode.RUNNING
        && run != null
        && shards > 1
        && options.prefetches()
        && options.packsRows()) {
      fetch = send(run.plan(), moment);
    }
  }

  /// Forgets rows that were asked for: parameters were set meanwhile.
  void invalidate() {
    fetch = null;
    forgetRows();
  }

  private float[] rowsOf(PlanRun planned, int table) {
    Moment moment = Objects.requireNonNull(now, "a plan is followed on a branch");
    Fetch here = fetch;
    if (here == null || !here.moment.equals(moment)) {
      here = send(planned.plan(), moment);
      fetch = here;
    }
    if (!here.isHere) {
      for (int i = 0; i < here.replies.size(); i++) {
        calls.awaitDelivered(here.shards.get(i), here.replies.get(i));
      }
      here.isHere = true;
    }
    planned.serve(here.values);
    float[] values = here.values[table];
    if (values == null) {
      throw new IllegalStateException("the plan does not read table " + table);
    }
    return values;
  }

  private Fetch send(AccessPlan plan, Moment moment) {
    Fetch earlier = fetch;
    Fetch sent =
        new Fetch(
            moment,
            // Others may still write to the rows of a fetch that nobody waited for.
            earlier != null && earlier.isHere ? earlier.values : buffers(plan));
    for (int shard = 0; shard < shards; shard++) {
      for (int table = 0; table < columns.length; table++) {
        PackedRows rows = plan.reads(table);
        float[] values = sent.values[table];
        if (rows != null && values != null && rows.parts().get(shard).rows().count() > 0) {
          PackedRows.Part part = rows.parts().get(shard);
          RowTarget target =
              new RowTarget(values, part.firstSlot() * columns[table], columns[table], null);
          sent.replies.add(calls.read(shard, moment, table, part.rows(), target));
          sent.shards.add(shard);
        }
      }
    }
    return sent;
  }

  private float[] @Nullable [] buffers(AccessPlan plan) {
    float[] @Nullable [] buffers = new float[columns.length][];
    for (int table = 0; table < buffers.length; table++) {
      PackedRows rows = plan.reads(table);
      buffers[table] =
          rows == null ? null : new float[Math.multiplyExact(rows.count(), columns[table])];
    }
    return buffers;
  }
}
