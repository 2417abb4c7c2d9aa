package dev.espalier.ps;

import dev.espalier.ps.cache.UpdateBuffer;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.plan.AccessPlan;
import dev.espalier.ps.plan.ClockLog;
import dev.espalier.ps.plan.FloatLanes;
import dev.espalier.ps.plan.PackedRows;
import dev.espalier.ps.plan.PlanCompiler;
import dev.espalier.ps.plan.PlanOptions;
import dev.espalier.ps.plan.PlanRun;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.ArraySource;
import dev.espalier.ps.table.PageSource;
import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
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
  private final ArraySource arrays;
  private final PageSource pages;
  private final ShardCalls calls;
  private final AccessChecks checks;
  private final UnplannedAccess unplanned;
  private final boolean areRowsHere;
  private PlanOptions options = PlanOptions.all();
  private Mode mode = Mode.OFF;
  private boolean isAutomatic;
  private ClockLog log;
  private ClockLog before;
  private int misses;
  private @Nullable Moment now;
  private @Nullable PlanRun run;

  /// The run, while accesses of the clock on hand are along the plan; what changes `mode`, `run` or
  /// `now` says so by [#settle].
  private @Nullable PlanRun along;

  /// Its accesses to single floats.
  private FloatLanes floats = FloatLanes.NONE;

  private @Nullable Fetch fetch;

  /// @param unplanned serves sound accesses past a plan
  /// @param areRowsHere whether all rows lie in the memory of this process, and are read there
  PlannedAccess(
      List<TableSpec> tables,
      List<Partitioner> partitioners,
      RowKernels kernels,
      UpdateBuffer updates,
      ArraySource arrays,
      PageSource pages,
      ShardCalls calls,
      UnplannedAccess unplanned,
      boolean areRowsHere) {
    checks = new AccessChecks(tables);
    this.partitioners = partitioners;
    columns = tables.stream().mapToInt(TableSpec::columns).toArray();
    shards = partitioners.getFirst().shards();
    this.kernels = kernels;
    this.updates = updates;
    this.arrays = arrays;
    this.pages = pages;
    this.calls = calls;
    this.unplanned = unplanned;
    this.areRowsHere = areRowsHere;
    log = new ClockLog(columns.length);
    before = new ClockLog(columns.length);
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
    if (run != null) {
      run.drop();
    }
    isAutomatic = false;
    run = null;
    fetch = null;
    mode = Mode.OFF;
    settle();
  }

  private void settle() {
    along = mode == Mode.RUNNING && now != null ? run : null;
    floats = along == null ? FloatLanes.NONE : along.floats();
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
    log = new ClockLog(columns.length);
    before.clear();
    run = new PlanRun(plan, columns, shards, kernels, arrays, pages, options);
    fetch = null;
    misses = 0;
    mode = Mode.RUNNING;
    settle();
    prepare();
    return plan;
  }

  boolean isRecording() {
    return mode == Mode.RECORDING;
  }

  // ---- accesses

  /// Reads consecutive rows; the way along a plan is so short that it becomes a part of the loop
  /// that reads row by row.
  void read(int table, long first, int count, float[] target, int offset) {
    if (!floats.read(table, first, count, target, offset)) {
      readPast(table, first, count, target, offset);
    }
  }

  /// Reads consecutive rows that are not single floats of the plan.
  private void readPast(int table, long first, int count, float[] target, int offset) {
    PlanRun planned = along;
    boolean isNext = planned != null && planned.isNextRead(table, first, count);
    if (planned != null && isNext && serve(planned, table, count, target, offset)) {
      return;
    }
    checks.range(table, first, count);
    checks.room(table, count, target.length, offset);
    noteRead(isNext, table);
    if (isLogging()) {
      log.addRange(false, table, first, count);
    }
    if (isRecording()) {
      Arrays.fill(target, offset, offset + count * columns[table], 0);
    } else {
      unplanned.read(table, first, count, target, offset);
    }
  }

  void read(int table, long[] rows, int count, float[] target) {
    PlanRun planned = along;
    boolean isNext = planned != null && planned.isNextRead(table, rows, count);
    if (planned != null && isNext && serve(planned, table, count, target, 0)) {
      return;
    }
    checks.rows(table, rows, count);
    checks.room(table, count, target.length, 0);
    noteRead(isNext, table);
    if (isLogging()) {
      log.addRows(false, table, rows, count);
    }
    if (isRecording()) {
      Arrays.fill(target, 0, count * columns[table], 0);
    } else {
      unplanned.read(table, rows, count, target);
    }
  }

  private boolean serve(PlanRun planned, int table, int count, float[] target, int offset) {
    if (!isRoomy(table, count, target.length, offset) || !packs(planned, table)) {
      return false;
    }
    fetchRows(planned);
    planned.readNext(table, target, offset);
    return true;
  }

  /// Whether a table's rows are packed before they are read. Long runs are read with one copy less
  /// from where they lie, where that is here.
  private boolean packs(PlanRun planned, int table) {
    return options.packsRows() && !(areRowsHere && planned.readsLongRuns(table));
  }

  /// Takes note of a sound read that is not served from packed rows.
  ///
  /// @param isNext whether the plan foresees it
  private void noteRead(boolean isNext, int table) {
    PlanRun planned = along;
    if (isNext && planned != null && !packs(planned, table)) {
      planned.skipRead(table);
    } else {
      leave();
    }
  }

  /// Adds to consecutive rows; the way along a plan is so short that it becomes a part of the loop
  /// that adds row by row.
  void add(int table, long first, int count, float[] values, int offset) {
    if (!floats.add(table, first, count, values, offset)) {
      addPast(table, first, count, values, offset);
    }
  }

  /// Adds to consecutive rows that are not single floats of the plan.
  private void addPast(int table, long first, int count, float[] values, int offset) {
    PlanRun planned = along;
    if (planned != null
        && isRoomy(table, count, values.length, offset)
        && planned.addNext(table, first, count, values, offset)) {
      return;
    }
    checks.range(table, first, count);
    checks.room(table, count, values.length, offset);
    leave();
    if (isLogging()) {
      log.addRange(true, table, first, count);
    }
    if (!isRecording()) {
      unplanned.add(table, first, count, values, offset);
    }
  }

  void add(int table, long[] rows, int count, float[] values) {
    PlanRun planned = along;
    if (planned != null
        && isRoomy(table, count, values.length, 0)
        && planned.addNext(table, rows, count, values)) {
      return;
    }
    checks.rows(table, rows, count);
    checks.room(table, count, values.length, 0);
    leave();
    if (isLogging()) {
      log.addRows(true, table, rows, count);
    }
    if (!isRecording()) {
      unplanned.add(table, rows, count, values);
    }
  }

  private boolean isRoomy(int table, int count, int length, int offset) {
    return table >= 0
        && table < columns.length
        && offset >= 0
        && (long) count * columns[table] <= length - offset;
  }

  private boolean isLogging() {
    if (mode == Mode.WATCHING && log.size() >= MAX_WATCHED_ACCESSES) {
      mode = Mode.OFF;
      log = new ClockLog(columns.length);
      before = new ClockLog(columns.length);
    }
    return mode == Mode.WATCHING || mode == Mode.RECORDING;
  }

  /// Sees to it that all that was added so far is in the general buffer.
  void flush() {
    if (mode == Mode.RUNNING && run != null && run.hasBegun()) {
      leave();
    }
  }

  /// Leaves the plan until the next clock; what was added so far goes the general way.
  void leave() {
    if (mode == Mode.RUNNING && run != null) {
      if (run.hasBegun()) {
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
  /// @param isTraining whether the clock is to change something, and so to follow the plan
  void moveTo(@Nullable Moment moment, boolean isTraining) {
    now = moment;
    if (!hasUpdates()) {
      restart();
    }
    forgetRows();
    settle();
    if (isTraining) {
      prepare();
    }
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

  /// Sees to it that single floats are loads and stores from the first on. What must be waited for
  /// is not waited for: others may need to hear first that the last clock has ended.
  private void prepare() {
    PlanRun planned = along;
    if (planned != null) {
      planned.beginFloats();
      if (shards == 1 && options.packsRows() && floats.areRead()) {
        fetchRows(planned);
      }
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
    ClockLog older = before;
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
      fetch = send(run, moment);
    }
    prepare();
  }

  /// Forgets rows that were asked for: parameters were set meanwhile.
  void invalidate() {
    fetch = null;
    forgetRows();
  }

  /// Waits until the rows of the clock are here.
  private void fetchRows(PlanRun planned) {
    Moment moment = Objects.requireNonNull(now, "a plan is followed on a branch");
    Fetch here = fetch;
    if (here == null || !here.moment.equals(moment)) {
      here = send(planned, moment);
      fetch = here;
    }
    if (!here.isHere) {
      for (int i = 0; i < here.replies.size(); i++) {
        calls.awaitDelivered(here.shards.get(i), here.replies.get(i));
      }
      here.isHere = true;
    }
    planned.serve(here.values);
  }

  private Fetch send(PlanRun planned, Moment moment) {
    AccessPlan plan = planned.plan();
    Fetch earlier = fetch;
    Fetch sent =
        new Fetch(
            moment,
            // Others may still write to the rows of a fetch that nobody waited for.
            earlier != null && earlier.isHere ? earlier.values : buffers(planned));
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

  private float[] @Nullable [] buffers(PlanRun planned) {
    float[] @Nullable [] buffers = new float[columns.length][];
    for (int table = 0; table < buffers.length; table++) {
      PackedRows rows = planned.plan().reads(table);
      buffers[table] =
          rows == null || !packs(planned, table)
              ? null
              : new float[Math.multiplyExact(rows.count(), columns[table])];
    }
    return buffers;
  }
}
