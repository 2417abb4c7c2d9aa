package dev.espalier.ps;

import dev.espalier.ps.BranchOnHand.Selected;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.cache.UpdateBuffer;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.filter.UpdateFilter;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.plan.AccessPlan;
import dev.espalier.ps.plan.PlanOptions;
import dev.espalier.ps.shard.OpenPages;
import dev.espalier.ps.shard.PinnedRows;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.ArraySource;
import dev.espalier.ps.table.Factors;
import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowValues;
import dev.espalier.ps.table.TableAccess;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.Transport;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/// One worker's access to all shards: fork, select a branch, read, add updates, tick, free.
///
/// Belongs to one thread. All workers must create, fork, free, checkpoint and restore the same
/// branches in the same order; between these each may go at its own speed, as far as staleness
/// allows. Calls that change something return at once; if one fails, the next call throws the
/// failure as a [PsException]. Every wait has the configured timeout and then says what it waited
/// for.
public final class WorkerSession implements AutoCloseable {
  private static final int BARRIER_SHARD = 0;

  private final ParameterServer server;
  private final List<TableSpec> tables;
  private final AccessChecks checks;
  private final ShardCalls calls;
  private final BranchOnHand onHand = new BranchOnHand();
  private final RowReader reader;
  private final RowAssigner assigner;
  private final GatheredUpdates updates;
  private final PlannedAccess planned;
  private final SessionFilters filters;
  private final ShardCheckpoints checkpoints;

  WorkerSession(ParameterServer server, Transport transport) {
    this.server = server;
    ParameterServerConfig config = server.config();
    tables = server.tables();
    checks = new AccessChecks(tables);
    calls = new ShardCalls(config, transport, server.shard().arrivals());
    checkpoints = new ShardCheckpoints(server, calls);
    List<Partitioner> partitioners =
        tables.stream().map(spec -> new Partitioner(spec.rows(), config.workers())).toList();
    var places = new RowPlaces(partitioners);
    reader = new RowReader(tables, places, calls);
    assigner = new RowAssigner(tables, places, calls);
    RowKernels kernels = RowKernelsProvider.best();
    ArraySource arrays = server.shard().arrays();
    var sums = new UpdateBuffer(tables, config.workers(), kernels, arrays, this::gradientPages);
    updates = new GatheredUpdates(sums, places);
    var hidden =
        new HiddenRows(
            tables.size(), config.filters().hiddenTables(tables, 1), onHand, calls, assigner);
    filters = new SessionFilters(config.filters(), tables, hidden, this::readWhole);
    planned =
        new PlannedAccess(
            tables,
            partitioners,
            kernels,
            sums,
            arrays,
            this::gradientPages,
            calls,
            new UnplannedAccess(calls, onHand, reader, filters, updates),
            config.workers() == 1 && server.shard().isOnHost() && !filters.copyTables());
  }

  // ---- branches

  /// Creates a branch of zeros; collective.
  ///
  /// @param root a number never used before
  public void create(BranchRef root) {
    calls.ready();
    onHand.add(root);
    calls.sendToAll(new ShardCommand.Create(root, calls.worker()));
  }

  /// Forks a branch; collective. The child starts with the parent's parameters, optimizer state and
  /// step counters as of all updates that all workers sent before, and at clock 0.
  ///
  /// @param child a number never used before
  /// @param parent a living branch
  public void fork(BranchRef child, BranchRef parent) {
    calls.ready();
    requireTicked();
    onHand.add(child);
    planned.onNewBranch();
    calls.sendToAll(new ShardCommand.Fork(child, parent, calls.worker()));
  }

  /// Frees a branch; collective. Its children live on.
  public void free(BranchRef branch) {
    calls.ready();
    if (onHand.isSelected(branch)) {
      requireTicked();
      planned.moveTo(null, false);
    }
    onHand.remove(branch);
    calls.sendToAll(new ShardCommand.Free(branch, calls.worker()));
  }

  /// Chooses the branch that reads, updates and ticks are about from now on.
  ///
  /// @param branch a living branch
  /// @param staleness how many clocks of other workers its reads may miss; the same at all workers,
  ///   and to be changed only when all have ended the same clocks
  /// @param stepSize how far its updates go; the same at all workers
  /// @throws IllegalStateException when updates of the branch selected before were not ticked
  public void select(BranchRef branch, Staleness staleness, StepSize stepSize) {
    calls.ready();
    if (!onHand.isSelected(branch)) {
      requireTicked();
    }
    onHand.select(new Selected(branch, staleness, stepSize));
    planned.moveTo(onHand.moment(), stepSize.updates());
  }

  /// The clock this worker is in on a branch: how many it has ticked, counted inside the branch.
  public long clock(BranchRef branch) {
    return onHand.clock(branch);
  }

  /// Index of a table by name.
  ///
  /// @throws IllegalArgumentException when there is no such table
  public int table(String name) {
    for (int i = 0; i < tables.size(); i++) {
      if (tables.get(i).name().equals(name)) {
        return i;
      }
    }
    throw new IllegalArgumentException(
        "table must be one of %s but is %s"
            .formatted(tables.stream().map(TableSpec::name).toList(), name));
  }

  // ---- parameters

  /// Reads consecutive rows of the selected branch; waits as long as staleness demands. Updates
  /// added but not ticked are not seen.
  ///
  /// @param table index of the table
  /// @param first first row
  /// @param count number of rows
  /// @param destination receives `count x columns` values
  /// @param offset where in `destination`
  public void read(int table, long first, int count, float[] destination, int offset) {
    planned.read(table, first, count, destination, offset);
  }

  private void readWhole(int table, float[] values) {
    int rows = Math.toIntExact(tables.get(table).rows());
    reader.read(onHand.moment(), table, 0, rows, values, 0);
  }

  /// Reads some rows of the selected branch; waits as long as staleness demands. Updates added but
  /// not ticked are not seen.
  ///
  /// @param table index of the table
  /// @param rows row numbers, in any order, also repeated
  /// @param count how many of `rows` count
  /// @param destination receives `count x columns` values from index 0
  public void read(int table, long[] rows, int count, float[] destination) {
    planned.read(table, rows, count, destination);
  }

  /// Says that the next clock will read exactly these rows in one call; they are asked for as soon
  /// as this clock has ended, while the program prepares the next one. Does nothing where all rows
  /// are in this process.
  ///
  /// @param table index of the table
  /// @param rows row numbers, in any order, also repeated
  /// @param count how many of `rows` count
  public void announce(int table, long[] rows, int count) {
    checks.rows(table, rows, count);
    if (calls.workers() > 1 && !planned.isRecording() && !filters.copies(table)) {
      reader.announce(table, rows, count);
    }
  }

  /// Pins all rows of a table of the selected branch where they lie, or, on a device where they do
  /// not lie together, in a copy there; waits as long as staleness demands. What is pinned stays as
  /// it is whatever is ticked, forked or freed; an update finds the page shared as long as it is
  /// pinned, and takes a fresh one.
  ///
  /// @param table index of the table
  /// @return the rows, to be closed by the caller; empty when they do not lie together in a page of
  ///   this process, as those of one worker's [dev.espalier.ps.table.TableAccess#MATRIX] table do,
  ///   or a device has no room for the copy; or while a table of the branch is open, or filters
  ///   have it read from a copy
  public Optional<PinnedRows> pin(int table) {
    Selected now = requireSelected();
    checks.table(table);
    TableSpec spec = tables.get(table);
    if (calls.workers() > 1
        || spec.access() != TableAccess.MATRIX
        || filters.readsCopy(table, now.stepSize())
        || server.shard().isOpen(now.branch())) {
      return Optional.empty();
    }
    PinnedRows rows = new PinnedRows();
    ShardCommand.Read read =
        calls.reading(
            onHand.moment(), table, new RowSelection.Range(0, Math.toIntExact(spec.rows())));
    calls.await(calls.worker(), server.shard().submit(read, rows));
    if (!rows.isWhole()) {
      rows.close();
      return Optional.empty();
    }
    return Optional.of(rows);
  }

  /// Opens a table of the selected branch to be changed where it lies; close it before the tick.
  ///
  /// @param table index of a table with rule `add`
  /// @return empty where that cannot be done: see [dev.espalier.ps.shard.Shard#open]; or where the
  ///   clock changes nothing
  public Optional<OpenPages> open(int table) {
    Selected now = requireSelected();
    checks.table(table);
    return planned.isRecording() || !now.stepSize().updates()
        ? Optional.empty()
        : server.shard().open(now.branch(), table);
  }

  /// Sets parameters of consecutive rows of the selected branch at once, for initialisation by one
  /// worker; fork afterwards, so that every worker sees them.
  ///
  /// @param table index of the table
  /// @param first first row
  /// @param count number of rows
  /// @param values `count x columns` values
  /// @param offset where in `values` they begin
  public void assign(int table, long first, int count, float[] values, int offset) {
    Selected now = requireSelected();
    checks.range(table, first, count);
    checks.room(table, count, values.length, offset);
    forgetReads();
    assigner.assign(now.branch(), table, first, count, values, offset);
  }

  /// Sets parameters of some rows of the selected branch at once.
  ///
  /// @param table index of the table
  /// @param rows row numbers, each once
  /// @param count how many of `rows` count
  /// @param values `count x columns` values
  public void assign(int table, long[] rows, int count, float[] values) {
    Selected now = requireSelected();
    checks.rows(table, rows, count);
    checks.room(table, count, values.length, 0);
    forgetReads();
    assigner.assign(now.branch(), table, rows, count, values);
  }

  /// What was asked for ahead of its use is not what is there any more.
  private void forgetReads() {
    planned.invalidate();
    reader.forget();
  }

  /// Adds sums of per-sample gradients to consecutive rows; they leave at the next tick.
  ///
  /// @param table index of the table
  /// @param first first row
  /// @param count number of rows
  /// @param gradients `count x columns` values
  /// @param offset where in `gradients` they begin
  public void add(int table, long first, int count, float[] gradients, int offset) {
    planned.add(table, first, count, gradients, offset);
  }

  /// Adds sums of per-sample gradients to some rows; they leave at the next tick.
  ///
  /// @param table index of the table
  /// @param rows row numbers, also repeated
  /// @param count how many of `rows` count
  /// @param gradients `count x columns` values
  public void add(int table, long[] rows, int count, float[] gradients) {
    planned.add(table, rows, count, gradients);
  }

  /// Whether a gradient that is given to [#addProducts] travels as vectors: the filters say so,
  /// they are smaller than it, and there is somebody to send it to.
  ///
  /// @param rows of the gradient
  /// @param columns of the gradient
  /// @param samples number of products
  public boolean sendsFactors(int rows, int columns, int samples) {
    return filters.sendsFactors()
        && calls.workers() > 1
        && !planned.isRecording()
        && Factors.areSmaller(rows, columns, samples);
  }

  /// Adds sums of per-sample gradients to consecutive rows, given as the vectors of which each
  /// sample's gradient is the product; they leave at the next tick, as vectors when the filters say
  /// so and they are smaller.
  ///
  /// @param table index of the table
  /// @param first first row
  /// @param factors as many rows and columns as are added to; its arrays must not be changed
  ///   afterwards
  public void addProducts(int table, long first, Factors factors) {
    requireSelected();
    checks.range(table, first, factors.rows());
    if (factors.columns() != tables.get(table).columns()) {
      throw new IllegalArgumentException(
          "factors for table '%s' must have %d columns but have %d"
              .formatted(tables.get(table).name(), tables.get(table).columns(), factors.columns()));
    }
    if (sendsFactors(factors.rows(), factors.columns(), factors.samples())) {
      updates.addFactors(table, first, factors);
    } else {
      add(table, first, factors.rows(), factors.product(), 0);
    }
  }

  /// Adds sums of per-sample gradients to all rows of a table that lies on a device, from memory of
  /// that device; they leave at the next tick.
  ///
  /// @param table index of the table
  /// @param address of `rows x columns` floats, all work that writes them done; they are copied
  /// @return false when nothing was added, because the table does not lie on a device whole, has
  ///   gradients of this clock there already, the device has no room or there are filters
  public boolean addFromDevice(int table, long address) {
    requireSelected();
    checks.table(table);
    if (calls.workers() > 1 || filters.changeUpdates() || updates.hasOnDevice(table)) {
      return false;
    }
    Optional<RowBatch> kept = server.shard().keepOnDevice(table, address);
    kept.ifPresent(update -> {
      if (planned.isRecording()) {
        update.release();
      } else {
        updates.addOnDevice(update);
      }
    });
    return kept.isPresent();
  }

  private Optional<RowValues.InPages> gradientPages(int table, int rows) {
    Selected now = onHand.selected();
    return calls.workers() > 1
            || rows < tables.get(table).rows()
            || !now.stepSize().updates()
            || filters.changeUpdates()
        ? Optional.empty()
        : server.shard().gradientPages(now.branch(), table);
  }

  /// Ends this worker's clock on the selected branch and sends its updates to all shards.
  ///
  /// What an update does is said at [ShardCommand.Push]: the mean over the samples of all workers
  /// at staleness 0, else each worker's part of it by itself. Rows that were not added to do not
  /// change.
  ///
  /// @param samples number of samples in the gradients added since the last tick, >= 0
  public void tick(long samples) {
    Selected now = requireSelected();
    if (samples < 0) {
      throw new IllegalArgumentException("samples must be >= 0 but is " + samples);
    }
    if (planned.isRecording()) {
      throw new IllegalStateException("a virtual iteration has no tick; end it first");
    }
    UpdateFilter.Filtered leaving =
        filters.endClock(updates.drainBeside(planned.drain()), now.stepSize(), samples);
    push(now, leaving);
    Moment next = onHand.moment();
    planned.advance(next);
    reader.advance(next);
  }

  private void push(Selected now, UpdateFilter.Filtered leaving) {
    long clock = onHand.clock(now.branch());
    onHand.endClock();
    for (int shard = 0; shard < calls.workers(); shard++) {
      calls.send(
          shard,
          new ShardCommand.Push(
              now.branch(),
              calls.worker(),
              clock,
              now.staleness(),
              now.stepSize(),
              leaving.samples(),
              leaving.byShard().get(shard)));
    }
  }

  // ---- access plans

  /// Begins a virtual iteration: until [#endVirtualIteration] reads give zeros, updates do nothing,
  /// and both are recorded. Run one clock of the program in between, without its tick.
  public void beginVirtualIteration() {
    requireTicked();
    planned.beginVirtualIteration();
  }

  /// Ends the virtual iteration, and serves later clocks by the plan that is made of it: rows
  /// packed by shard in exactly the slots that a clock needs, asked for one clock ahead (but for
  /// long runs of them that lie in this process), updates added up before they leave. A clock that
  /// makes other accesses is served too, without the plan.
  ///
  /// Source: Cui et al., SoCC 2014, section 3.
  ///
  /// @param options which optimisations to use
  /// @return the plan
  public AccessPlan endVirtualIteration(PlanOptions options) {
    return planned.endVirtualIteration(options);
  }

  /// Makes a plan by itself as soon as two clocks in a row make the same accesses.
  ///
  /// @param options which optimisations to use
  public void planRepeatedAccess(PlanOptions options) {
    requireTicked();
    if (!filters.copyTables()) {
      planned.watch(options);
    }
  }

  // ---- agreement

  /// Votes for a barrier.
  ///
  /// @param name of the barrier, never used for a second one
  /// @return completes with true when all workers have voted, with false when this vote is
  ///   withdrawn
  public CompletableFuture<Boolean> vote(String name) {
    calls.ready();
    return calls
        .ask(BARRIER_SHARD, new ShardCommand.Barrier(name, calls.worker()))
        .thenApply(WorkerSession::isCompleted);
  }

  /// Votes for a barrier and waits until all workers have voted.
  ///
  /// @param name of the barrier, never used for a second one
  public void awaitBarrier(String name) {
    calls.ready();
    calls.await(
        BARRIER_SHARD, calls.ask(BARRIER_SHARD, new ShardCommand.Barrier(name, calls.worker())));
  }

  /// Takes a vote back unless all workers have voted.
  ///
  /// @param name of the barrier
  /// @return true when the barrier had completed, so that the vote stands
  public boolean withdraw(String name) {
    calls.ready();
    return isCompleted(
        calls.await(
            BARRIER_SHARD,
            calls.ask(BARRIER_SHARD, new ShardCommand.Withdraw(name, calls.worker()))));
  }

  private static boolean isCompleted(ShardReply reply) {
    return switch (reply) {
      case ShardReply.BarrierState(boolean completed) -> completed;
      case ShardReply.Failed failed -> throw failed.toException();
      default -> throw ShardCalls.unexpected(reply);
    };
  }

  /// Waits until every shard has acknowledged all this worker sent; collective commands are
  /// acknowledged when every worker has sent them.
  public void awaitQuiet() {
    calls.awaitQuiet();
  }

  // ---- checkpoints

  /// Writes this process's shard of a branch to a file; collective, one file per process. The
  /// branch is pinned as of all updates that all workers sent before, and written in the
  /// background.
  ///
  /// @param branch a living branch
  /// @param file replaced at once when all is written
  /// @return completes when the file is on the disk, or with a [PsException]
  public CompletableFuture<Void> checkpoint(BranchRef branch, Path file) {
    calls.ready();
    requireTicked();
    return checkpoints.write(branch, file);
  }

  /// Creates a branch from the files that [#checkpoint] wrote; collective, one file per process.
  ///
  /// @param root a number never used before
  /// @param file this process's file
  /// @throws PsException `CHECKPOINT_CORRUPT` when the file is not a checkpoint of these tables and
  ///   this place among as many workers; then nothing was sent to the other shards
  public void restore(BranchRef root, Path file) {
    calls.ready();
    server.shard().stageCheckpoint(root, file);
    create(root);
  }

  /// Ends the session; commands in flight are not awaited.
  @Override
  public void close() {
    calls.close();
    planned.stop();
    updates.drop();
  }

  private Selected requireSelected() {
    calls.ready();
    return onHand.selected();
  }

  private void requireTicked() {
    planned.flush();
    if (!updates.isEmpty()) {
      throw new IllegalStateException("updates must be ticked before the branch is left");
    }
  }
}
