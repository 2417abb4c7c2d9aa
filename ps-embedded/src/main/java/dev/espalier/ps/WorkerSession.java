package dev.espalier.ps;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.branch.Snapshot;
import dev.espalier.ps.cache.UpdateBuffer;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.filter.FetchedTables;
import dev.espalier.ps.filter.FilterOptions;
import dev.espalier.ps.filter.OwnRows;
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
import dev.espalier.ps.table.Factors;
import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowRange;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.table.RowValues;
import dev.espalier.ps.table.TableAccess;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.Transport;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// One worker's access to all shards: fork, select a branch, read, add updates, tick, free.
///
/// Belongs to one thread. All workers must create, fork, free, checkpoint and restore the same
/// branches in the same order; between these each may go at its own speed, as far as staleness
/// allows. Calls that change something return at once; if one fails, the next call throws the
/// failure as a [PsException]. Every wait has the configured timeout and then says what it waited
/// for.
public final class WorkerSession implements AutoCloseable {
  private static final int MAX_UNANSWERED_PER_SHARD = 64;
  private static final long EXPLAIN_SECONDS = 2;
  private static final int BARRIER_SHARD = 0;

  private record Selected(BranchRef branch, Staleness staleness, StepSize stepSize) {}

  /// A gradient of consecutive rows that was added as factors.
  private record FactorUpdate(int table, long first, Factors factors) {}

  /// This worker's rows of the filters' tables, which are in the shard beside it.
  private final class OwnFilterRows implements OwnRows {
    /// Nobody else writes these rows.
    private static final Staleness ANY = new Staleness(Integer.MAX_VALUE);

    @Override
    public void read(int table, RowSelection rows, float[] values) {
      if (rows.count() > 0) {
        BranchRef branch = requireSelected().branch();
        CompletableFuture<ShardReply> reply =
            transport.read(
                config.rank(),
                new ShardCommand.Read(
                    branch, config.rank(), clock(branch), ANY, table, shifted(table, rows)),
                new RowTarget(values, 0, values.length / rows.count(), null));
        awaitDelivered(config.rank(), reply);
      }
    }

    @Override
    public void assign(int table, RowSelection rows, float[] values) {
      if (rows.count() > 0) {
        WorkerSession.this.assign(
            config.rank(),
            requireSelected().branch(),
            new RowBatch(table, shifted(table, rows), values));
      }
    }

    private RowSelection shifted(int table, RowSelection rows) {
      long shift = config.rank() * hiddenRows(table);
      return switch (rows) {
        case RowSelection.Range range ->
            new RowSelection.Range(range.first() + shift, range.count());
        case RowSelection.Keys keys ->
            new RowSelection.Keys(Arrays.stream(keys.keys()).map(key -> key + shift).toArray());
      };
    }

    private long hiddenRows(int table) {
      return hidden.get(table - tables.size()).rows();
    }
  }

  /// Asks shards for the rows of a plan.
  private final class PlannedReader implements PlannedAccess.Reader {
    @Override
    public CompletableFuture<?> read(
        PlannedAccess.Moment moment, int shard, int table, RowSelection rows, RowTarget to) {
      return transport.read(shard, WorkerSession.this.read(moment, table, rows), to);
    }

    @Override
    public void await(int shard, CompletableFuture<?> reply) {
      if (!(WorkerSession.this.await(shard, reply.thenApply(ShardReply.class::cast))
          instanceof ShardReply.Delivered)) {
        throw unexpected((ShardReply) reply.join());
      }
    }
  }

  private final ParameterServer server;
  private final ParameterServerConfig config;
  private final Transport transport;
  private final List<TableSpec> tables;
  private final List<Partitioner> partitioners;
  private final UpdateBuffer updates;
  private final PlannedAccess planned;
  private final ReadAhead ahead;
  private final FilterOptions filters;
  private final List<TableSpec> hidden;
  private final UpdateFilter filter;
  private final FetchedTables fetched;
  private final List<FactorUpdate> factorUpdates = new ArrayList<>();
  private final List<RowBatch> deviceUpdates = new ArrayList<>();
  private final Outstanding outstanding = new Outstanding();
  private final Map<BranchRef, Long> clocks = new HashMap<>();

  private @Nullable Selected selected;
  private boolean isClosed;

  WorkerSession(ParameterServer server, Transport transport) {
    this.server = server;
    this.config = server.config();
    this.transport = transport;
    tables = server.tables();
    partitioners =
        tables.stream().map(spec -> new Partitioner(spec.rows(), config.workers())).toList();
    RowKernels kernels = RowKernelsProvider.best();
    updates = new UpdateBuffer(tables, config.workers(), kernels);
    planned = new PlannedAccess(tables, partitioners, kernels, updates, new PlannedReader());
    ahead = new ReadAhead(tables.stream().mapToInt(TableSpec::columns).toArray(), this::send);
    filters = config.filters();
    hidden = filters.hiddenTables(tables, 1);
    OwnRows own = new OwnFilterRows();
    filter = new UpdateFilter(filters, tables, own);
    fetched = new FetchedTables(filters, tables, own, this::fetch);
  }

  // ---- branches

  /// Creates a branch of zeros; collective.
  ///
  /// @param root a number never used before
  public void create(BranchRef root) {
    ready();
    clocks.put(root, 0L);
    sendToAll(new ShardCommand.Create(root, config.rank()));
  }

  /// Forks a branch; collective. The child starts with the parent's parameters, optimizer state and
  /// step counters as of all updates that all workers sent before, and at clock 0.
  ///
  /// @param child a number never used before
  /// @param parent a living branch
  public void fork(BranchRef child, BranchRef parent) {
    ready();
    requireTicked();
    clocks.put(child, 0L);
    planned.onNewBranch();
    sendToAll(new ShardCommand.Fork(child, parent, config.rank()));
  }

  /// Frees a branch; collective. Its children live on.
  public void free(BranchRef branch) {
    ready();
    if (selected != null && selected.branch().equals(branch)) {
      requireTicked();
      selected = null;
      planned.moveTo(null);
    }
    clocks.remove(branch);
    sendToAll(new ShardCommand.Free(branch, config.rank()));
  }

  /// Chooses the branch that reads, updates and ticks are about from now on.
  ///
  /// @param branch a living branch
  /// @param staleness how many clocks of other workers its reads may miss; the same at all workers,
  ///   and to be changed only when all have ended the same clocks
  /// @param stepSize how far its updates go; the same at all workers
  /// @throws IllegalStateException when updates of the branch selected before were not ticked
  public void select(BranchRef branch, Staleness staleness, StepSize stepSize) {
    ready();
    if (selected == null || !selected.branch().equals(branch)) {
      requireTicked();
    }
    selected = new Selected(branch, staleness, stepSize);
    planned.moveTo(moment(selected));
  }

  /// The clock this worker is in on a branch: how many it has ticked, counted inside the branch.
  public long clock(BranchRef branch) {
    return clocks.getOrDefault(branch, 0L);
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
    // So short that it is compiled into the loop that calls it, once for every row.
    if (!planned.read(table, first, count, destination, offset)) {
      readUnplanned(table, first, count, destination, offset);
    }
  }

  private void readUnplanned(int table, long first, int count, float[] destination, int offset) {
    checkRange(table, first, count);
    checkRoom(table, count, destination.length, offset);
    planned.note(false, table, first, count);
    if (planned.isRecording()) {
      Arrays.fill(destination, offset, offset + count * tables.get(table).columns(), 0);
      return;
    }
    Selected now = requireSelected();
    int columns = tables.get(table).columns();
    if (readsCopy(table)) {
      float[] values = new float[count * columns];
      fetched.read(table, new RowSelection.Range(first, count), values);
      System.arraycopy(values, 0, destination, offset, values.length);
      return;
    }
    read(now, table, first, count, destination, offset);
  }

  /// Whether the table's copy is read in place of the shards; whoever only looks wants the newest.
  private boolean readsCopy(int table) {
    return fetched.covers(table) && requireSelected().stepSize().updates();
  }

  /// Reads a whole table for the filters.
  private void fetch(int table, float[] values) {
    read(requireSelected(), table, 0, Math.toIntExact(tables.get(table).rows()), values, 0);
  }

  private void read(
      Selected now, int table, long first, int count, float[] destination, int offset) {
    int columns = tables.get(table).columns();
    List<@Nullable CompletableFuture<ShardReply>> replies = new ArrayList<>();
    for (RowRange part : cut(table, first, count)) {
      int shard = replies.size();
      replies.add(
          part.count() == 0
              ? null
              : transport.read(
                  shard,
                  read(now, table, new RowSelection.Range(part.first(), (int) part.count())),
                  new RowTarget(
                      destination,
                      offset + (int) (part.first() - first) * columns,
                      columns,
                      null)));
    }
    awaitDelivered(replies);
  }

  /// Reads some rows of the selected branch; waits as long as staleness demands. Updates added but
  /// not ticked are not seen.
  ///
  /// @param table index of the table
  /// @param rows row numbers, in any order, also repeated
  /// @param count how many of `rows` count
  /// @param destination receives `count x columns` values from index 0
  public void read(int table, long[] rows, int count, float[] destination) {
    if (!planned.read(table, rows, count, destination)) {
      readUnplanned(table, rows, count, destination);
    }
  }

  private void readUnplanned(int table, long[] rows, int count, float[] destination) {
    checkRows(table, rows, count);
    checkRoom(table, count, destination.length, 0);
    planned.note(false, table, rows, count);
    if (planned.isRecording()) {
      Arrays.fill(destination, 0, count * tables.get(table).columns(), 0);
      return;
    }
    if (readsCopy(table)) {
      float[] values = new float[count * tables.get(table).columns()];
      fetched.read(table, new RowSelection.Keys(Arrays.copyOf(rows, count)), values);
      System.arraycopy(values, 0, destination, 0, values.length);
      return;
    }
    PlannedAccess.Moment moment = moment(requireSelected());
    Optional<ReadAhead.Sent> early = ahead.take(moment, table, rows, count);
    if (early.isPresent()) {
      awaitDelivered(early.get().replies());
      float[] values = early.get().values();
      System.arraycopy(values, 0, destination, 0, values.length);
    } else {
      awaitDelivered(send(moment, table, rows, count, destination));
    }
  }

  private List<@Nullable CompletableFuture<ShardReply>> send(
      PlannedAccess.Moment moment, int table, long[] rows, int count, float[] destination) {
    int columns = tables.get(table).columns();
    if (config.workers() == 1) {
      return count == 0
          ? List.of()
          : List.of(
              transport.read(
                  0,
                  read(moment, table, new RowSelection.Keys(Arrays.copyOf(rows, count))),
                  new RowTarget(destination, 0, columns, null)));
    }
    int[] shards = shardsOf(table, rows, count);
    List<@Nullable CompletableFuture<ShardReply>> replies = new ArrayList<>();
    for (int shard = 0; shard < config.workers(); shard++) {
      int[] places = placesOf(shard, shards);
      replies.add(
          places.length == 0
              ? null
              : transport.read(
                  shard,
                  read(moment, table, new RowSelection.Keys(at(places, rows))),
                  new RowTarget(destination, 0, columns, places.length == count ? null : places)));
    }
    return replies;
  }

  /// Says that the next clock will read exactly these rows in one call; they are asked for as soon
  /// as this clock has ended, while the program prepares the next one. Does nothing where all rows
  /// are in this process.
  ///
  /// @param table index of the table
  /// @param rows row numbers, in any order, also repeated
  /// @param count how many of `rows` count
  public void announce(int table, long[] rows, int count) {
    checkRows(table, rows, count);
    if (config.workers() > 1 && !planned.isRecording() && !fetched.covers(table)) {
      ahead.announce(table, rows, count);
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
  ///   or a device has no room for the copy; or while a table of the branch is open
  public Optional<PinnedRows> pin(int table) {
    Selected now = requireSelected();
    checkTable(table);
    TableSpec spec = tables.get(table);
    if (config.workers() > 1
        || spec.access() != TableAccess.MATRIX
        || server.shard().isOpen(now.branch())) {
      return Optional.empty();
    }
    PinnedRows rows = new PinnedRows();
    ShardCommand.Read read =
        read(now, table, new RowSelection.Range(0, Math.toIntExact(spec.rows())));
    await(config.rank(), server.shard().submit(read, rows));
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
    checkTable(table);
    return planned.isRecording() || !now.stepSize().updates()
        ? Optional.empty()
        : server.shard().open(now.branch(), table);
  }

  private void awaitDelivered(List<@Nullable CompletableFuture<ShardReply>> replies) {
    for (int shard = 0; shard < replies.size(); shard++) {
      CompletableFuture<ShardReply> reply = replies.get(shard);
      if (reply != null) {
        awaitDelivered(shard, reply);
      }
    }
  }

  private void awaitDelivered(int shard, CompletableFuture<ShardReply> reply) {
    if (!(await(shard, reply) instanceof ShardReply.Delivered)) {
      throw unexpected(reply.join());
    }
  }

  private ShardCommand.Read read(Selected now, int table, RowSelection rows) {
    return read(moment(now), table, rows);
  }

  private ShardCommand.Read read(PlannedAccess.Moment moment, int table, RowSelection rows) {
    return new ShardCommand.Read(
        moment.branch(), config.rank(), moment.clock(), moment.staleness(), table, rows);
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
    checkRange(table, first, count);
    checkRoom(table, count, values.length, offset);
    int columns = tables.get(table).columns();
    List<RowRange> parts = cut(table, first, count);
    for (int shard = 0; shard < parts.size(); shard++) {
      RowRange part = parts.get(shard);
      if (part.count() > 0) {
        int from = offset + (int) (part.first() - first) * columns;
        assign(
            shard,
            now.branch(),
            new RowBatch(
                table,
                new RowSelection.Range(part.first(), (int) part.count()),
                Arrays.copyOfRange(values, from, from + (int) part.count() * columns)));
      }
    }
  }

  /// Sets parameters of some rows of the selected branch at once.
  ///
  /// @param table index of the table
  /// @param rows row numbers, each once
  /// @param count how many of `rows` count
  /// @param values `count x columns` values
  public void assign(int table, long[] rows, int count, float[] values) {
    Selected now = requireSelected();
    checkRows(table, rows, count);
    checkRoom(table, count, values.length, 0);
    int columns = tables.get(table).columns();
    int[] shards = shardsOf(table, rows, count);
    for (int shard = 0; shard < config.workers(); shard++) {
      int[] places = placesOf(shard, shards);
      float[] part = new float[places.length * columns];
      for (int i = 0; i < places.length; i++) {
        System.arraycopy(values, places[i] * columns, part, i * columns, columns);
      }
      if (places.length > 0) {
        assign(
            shard,
            now.branch(),
            new RowBatch(table, new RowSelection.Keys(at(places, rows)), part));
      }
    }
  }

  private void assign(int shard, BranchRef branch, RowBatch batch) {
    planned.invalidate();
    ahead.clear();
    send(shard, new ShardCommand.Assign(branch, config.rank(), List.of(batch)));
  }

  /// Adds sums of per-sample gradients to consecutive rows; they leave at the next tick.
  ///
  /// @param table index of the table
  /// @param first first row
  /// @param count number of rows
  /// @param gradients `count x columns` values
  /// @param offset where in `gradients` they begin
  public void add(int table, long first, int count, float[] gradients, int offset) {
    if (!planned.add(table, first, count, gradients, offset)) {
      addUnplanned(table, first, count, gradients, offset);
    }
  }

  private void addUnplanned(int table, long first, int count, float[] gradients, int offset) {
    checkRange(table, first, count);
    checkRoom(table, count, gradients.length, offset);
    planned.note(true, table, first, count);
    if (!planned.isRecording()) {
      requireSelected();
      updates.add(table, first, count, gradients, offset);
    }
  }

  /// Adds sums of per-sample gradients to some rows; they leave at the next tick.
  ///
  /// @param table index of the table
  /// @param rows row numbers, also repeated
  /// @param count how many of `rows` count
  /// @param gradients `count x columns` values
  public void add(int table, long[] rows, int count, float[] gradients) {
    if (!planned.add(table, rows, count, gradients)) {
      addUnplanned(table, rows, count, gradients);
    }
  }

  private void addUnplanned(int table, long[] rows, int count, float[] gradients) {
    checkRows(table, rows, count);
    checkRoom(table, count, gradients.length, 0);
    planned.note(true, table, rows, count);
    if (!planned.isRecording()) {
      requireSelected();
      updates.add(table, rows, count, gradients);
    }
  }

  /// Whether a gradient that is given to [#addProducts] travels as vectors: the filters say so,
  /// they are smaller than it, and there is somebody to send it to.
  ///
  /// @param rows of the gradient
  /// @param columns of the gradient
  /// @param samples number of products
  public boolean sendsFactors(int rows, int columns, int samples) {
    return filters.factors()
        && config.workers() > 1
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
    checkRange(table, first, factors.rows());
    if (factors.columns() != tables.get(table).columns()) {
      throw new IllegalArgumentException(
          "factors for table '%s' must have %d columns but have %d"
              .formatted(tables.get(table).name(), tables.get(table).columns(), factors.columns()));
    }
    if (sendsFactors(factors.rows(), factors.columns(), factors.samples())) {
      factorUpdates.add(new FactorUpdate(table, first, factors));
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
    checkTable(table);
    if (config.workers() > 1
        || filters.carries()
        || filters.counts()
        || deviceUpdates.stream().anyMatch(update -> update.table() == table)) {
      return false;
    }
    Optional<RowBatch> kept = server.shard().keepOnDevice(table, address);
    kept.ifPresent(update -> {
      if (planned.isRecording()) {
        update.release();
      } else {
        deviceUpdates.add(update);
      }
    });
    return kept.isPresent();
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
    long clock = clock(now.branch());
    if (planned.isRecording()) {
      throw new IllegalStateException("a virtual iteration has no tick; end it first");
    }
    UpdateFilter.Filtered leaving = leave(now, withDevice(withFactors(planned.drain())), samples);
    clocks.put(now.branch(), clock + 1);
    for (int shard = 0; shard < config.workers(); shard++) {
      List<RowBatch> batches = leaving.byShard().get(shard);
      send(
          shard,
          new ShardCommand.Push(
              now.branch(),
              config.rank(),
              clock,
              now.staleness(),
              now.stepSize(),
              leaving.samples(),
              batches));
    }
    PlannedAccess.Moment next = moment(now);
    planned.advance(next);
    ahead.advance(next);
  }

  private UpdateFilter.Filtered leave(Selected now, List<List<RowBatch>> leaving, long samples) {
    List<List<RowBatch>> byShard =
        filters.carries() || filters.counts()
            ? leaving.stream().map(WorkerSession::withOwnArrays).toList()
            : leaving;
    if (filters.fetchEvery() > 1 && samples > 0 && now.stepSize().updates()) {
      fetched.step(byShard, now.stepSize().learningRate(), samples);
    }
    UpdateFilter.Filtered filtered = filter.apply(byShard, samples);
    filter.endClock();
    return filtered;
  }

  private static List<RowBatch> withOwnArrays(List<RowBatch> batches) {
    return batches.stream()
        .map(batch -> batch.content() instanceof RowValues.Slice ? batch.inArray() : batch)
        .toList();
  }

  /// A single shard's, which is in this process.
  private List<List<RowBatch>> withDevice(List<List<RowBatch>> byShard) {
    if (deviceUpdates.isEmpty()) {
      return byShard;
    }
    List<RowBatch> all = new ArrayList<>(byShard.getFirst());
    all.addAll(deviceUpdates);
    deviceUpdates.clear();
    return List.of(all);
  }

  private List<List<RowBatch>> withFactors(List<List<RowBatch>> byShard) {
    if (factorUpdates.isEmpty()) {
      return byShard;
    }
    List<List<RowBatch>> all = new ArrayList<>();
    for (int shard = 0; shard < config.workers(); shard++) {
      List<RowBatch> batches = new ArrayList<>(byShard.get(shard));
      for (FactorUpdate update : factorUpdates) {
        RowRange part = cut(update.table(), update.first(), update.factors().rows()).get(shard);
        batches.add(
            part.count() == 0
                ? RowBatch.empty(update.table())
                : RowBatch.of(
                    update.table(),
                    part.first(),
                    update
                        .factors()
                        .part((int) (part.first() - update.first()), (int) part.count())));
      }
      all.add(batches);
    }
    factorUpdates.clear();
    return all;
  }

  private PlannedAccess.Moment moment(Selected now) {
    return new PlannedAccess.Moment(now.branch(), clock(now.branch()), now.staleness());
  }

  // ---- access plans

  /// Begins a virtual iteration: until [#endVirtualIteration] reads give zeros, updates do nothing,
  /// and both are recorded. Run one clock of the program in between, without its tick.
  public void beginVirtualIteration() {
    requireTicked();
    planned.beginVirtualIteration();
  }

  /// Ends the virtual iteration, and serves later clocks by the plan that is made of it: rows
  /// packed by shard in exactly the slots that a clock needs, asked for one clock ahead, updates
  /// added up before they leave. A clock that makes other accesses is served too, without the plan.
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
    if (filters.fetchEvery() == 1) {
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
    ready();
    return transport
        .send(BARRIER_SHARD, new ShardCommand.Barrier(name, config.rank()))
        .thenApply(WorkerSession::isCompleted);
  }

  /// Votes for a barrier and waits until all workers have voted.
  ///
  /// @param name of the barrier, never used for a second one
  public void awaitBarrier(String name) {
    ready();
    await(
        BARRIER_SHARD,
        transport.send(BARRIER_SHARD, new ShardCommand.Barrier(name, config.rank())));
  }

  /// Takes a vote back unless all workers have voted.
  ///
  /// @param name of the barrier
  /// @return true when the barrier had completed, so that the vote stands
  public boolean withdraw(String name) {
    ready();
    return isCompleted(
        await(
            BARRIER_SHARD,
            transport.send(BARRIER_SHARD, new ShardCommand.Withdraw(name, config.rank()))));
  }

  private static boolean isCompleted(ShardReply reply) {
    return switch (reply) {
      case ShardReply.BarrierState(boolean completed) -> completed;
      case ShardReply.Failed failed -> throw failed.toException();
      default -> throw unexpected(reply);
    };
  }

  /// Waits until every shard has acknowledged all this worker sent; collective commands are
  /// acknowledged when every worker has sent them.
  public void awaitQuiet() {
    awaitUnanswered(0);
    ready();
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
    ready();
    requireTicked();
    CompletableFuture<ShardReply> own = null;
    for (int shard = 0; shard < config.workers(); shard++) {
      awaitUnanswered(maxUnanswered());
      CompletableFuture<ShardReply> reply =
          transport.send(shard, new ShardCommand.Save(branch, config.rank()));
      outstanding.trackUnjudged(reply);
      own = shard == config.rank() ? reply : own;
    }
    CompletableFuture<Void> written = new CompletableFuture<>();
    if (own != null) {
      own.whenComplete((reply, error) -> write(reply, error, file, written));
    }
    return written;
  }

  private void write(
      @Nullable ShardReply reply,
      @Nullable Throwable error,
      Path file,
      CompletableFuture<Void> written) {
    if (error != null) {
      written.completeExceptionally(Outstanding.linkLost(error));
    } else if (reply instanceof ShardReply.SnapshotTaken(long ticket)) {
      write(server.shard().takeSnapshot(ticket), file, written);
    } else if (reply instanceof ShardReply.Failed failed) {
      written.completeExceptionally(failed.toException());
    }
  }

  private void write(Snapshot snapshot, Path file, CompletableFuture<Void> written) {
    try {
      server
          .checkpointThread()
          .execute(() -> {
            try (snapshot) {
              server.shard().writeCheckpoint(snapshot, file);
              written.complete(null);
            } catch (PsException e) {
              written.completeExceptionally(e);
            } catch (Throwable e) { // Who waits must hear of an error, too.
              written.completeExceptionally(
                  new PsException(
                      PsFault.CHECKPOINT_FAILED, "checkpoint to %s: %s".formatted(file, e), e));
            }
          });
    } catch (RejectedExecutionException e) {
      snapshot.close();
      written.completeExceptionally(
          new PsException(
              PsFault.CHECKPOINT_FAILED,
              "checkpoint to %s is refused: too many are waiting, or the server is closed"
                  .formatted(file),
              e));
    }
  }

  /// Creates a branch from the files that [#checkpoint] wrote; collective, one file per process.
  ///
  /// @param root a number never used before
  /// @param file this process's file
  /// @throws PsException `CHECKPOINT_CORRUPT` when the file is not a checkpoint of these tables and
  ///   this place among as many workers; then nothing was sent to the other shards
  public void restore(BranchRef root, Path file) {
    ready();
    server.shard().stageCheckpoint(root, file);
    create(root);
  }

  /// Ends the session; commands in flight are not awaited.
  @Override
  public void close() {
    isClosed = true;
    planned.stop();
  }

  // ---- sending and waiting

  private void sendToAll(ShardCommand command) {
    for (int shard = 0; shard < config.workers(); shard++) {
      send(shard, command);
    }
  }

  private CompletableFuture<ShardReply> send(int shard, ShardCommand command) {
    awaitUnanswered(maxUnanswered());
    CompletableFuture<ShardReply> reply = transport.send(shard, command);
    outstanding.track(reply);
    return reply;
  }

  private int maxUnanswered() {
    return MAX_UNANSWERED_PER_SHARD * config.workers();
  }

  private void awaitUnanswered(int most) {
    if (!outstanding.awaitAtMost(most, config.timeout().toNanos())) {
      throw timedOut(
          "%d commands of worker %d are unanswered".formatted(outstanding.count(), config.rank()));
    }
  }

  private ShardReply await(int shard, CompletableFuture<ShardReply> pending) {
    try {
      ShardReply reply = pending.get(config.timeout().toNanos(), TimeUnit.NANOSECONDS);
      if (reply instanceof ShardReply.Failed failed) {
        throw failed.toException();
      }
      return reply;
    } catch (TimeoutException e) {
      throw timedOut("worker %d waits for shard %d".formatted(config.rank(), shard));
    } catch (ExecutionException e) {
      throw Outstanding.linkLost(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PsException(PsFault.INTERRUPTED, "interrupted while waiting for shard " + shard, e);
    }
  }

  private PsException timedOut(String what) {
    StringBuilder message = new StringBuilder("%s after %s".formatted(what, config.timeout()));
    for (int shard = 0; shard < config.workers(); shard++) {
      String text = explain(shard);
      if (!text.isEmpty()) {
        message.append("; shard %d: %s".formatted(shard, text));
      }
    }
    return new PsException(PsFault.TIMED_OUT, message.toString());
  }

  private String explain(int shard) {
    try {
      ShardReply reply =
          transport
              .send(shard, new ShardCommand.Explain(config.rank()))
              .get(EXPLAIN_SECONDS, TimeUnit.SECONDS);
      return reply instanceof ShardReply.Explanation(String text) ? text : reply.toString();
    } catch (TimeoutException e) {
      return "does not answer";
    } catch (ExecutionException e) {
      return "cannot be reached: " + e.getCause();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "was not asked, the thread was interrupted";
    }
  }

  private static PsException unexpected(ShardReply reply) {
    return new PsException(PsFault.INTERNAL, "a shard answered " + reply);
  }

  // ---- checks

  private void ready() {
    if (isClosed) {
      throw new PsException(
          PsFault.CLOSED, "the session of worker %d is closed".formatted(config.rank()));
    }
    outstanding.throwFailure();
  }

  private Selected requireSelected() {
    ready();
    Selected now = selected;
    if (now == null) {
      throw new IllegalStateException("a branch must be selected first");
    }
    return now;
  }

  private void requireTicked() {
    planned.flush();
    if (!updates.isEmpty() || !factorUpdates.isEmpty() || !deviceUpdates.isEmpty()) {
      throw new IllegalStateException("updates must be ticked before the branch is left");
    }
  }

  private void checkTable(int table) {
    if (table < 0 || table >= tables.size()) {
      throw new IllegalArgumentException(
          "table must be in [0, %d) but is %d".formatted(tables.size(), table));
    }
  }

  private void checkRange(int table, long first, int count) {
    checkTable(table);
    long rows = tables.get(table).rows();
    if (first < 0 || count < 0 || first > rows - count) {
      throw new IllegalArgumentException(
          "rows of table '%s' must be in [0, %d) but are [%d, %d)"
              .formatted(tables.get(table).name(), rows, first, first + count));
    }
  }

  private void checkRows(int table, long[] keys, int count) {
    checkTable(table);
    if (count < 0 || count > keys.length) {
      throw new IllegalArgumentException(
          "count must be in [0, %d] but is %d".formatted(keys.length, count));
    }
    long rows = tables.get(table).rows();
    for (int i = 0; i < count; i++) {
      if (keys[i] < 0 || keys[i] >= rows) {
        throw new IllegalArgumentException(
            "row of table '%s' must be in [0, %d) but is %d"
                .formatted(tables.get(table).name(), rows, keys[i]));
      }
    }
  }

  private void checkRoom(int table, int count, int length, int offset) {
    long needed = (long) count * tables.get(table).columns();
    if (offset < 0 || needed > length - offset) {
      throw new IllegalArgumentException(
          "array must have %d values from index %d but has length %d"
              .formatted(needed, offset, length));
    }
  }

  // ---- rows of shards

  private List<RowRange> cut(int table, long first, int count) {
    List<RowRange> parts = new ArrayList<>();
    for (int shard = 0; shard < config.workers(); shard++) {
      RowRange range = partitioners.get(table).rangeOf(shard);
      long from = Math.clamp(first, range.first(), range.end());
      long to = Math.clamp(first + count, range.first(), range.end());
      parts.add(new RowRange(from, to));
    }
    return parts;
  }

  private int[] shardsOf(int table, long[] rows, int count) {
    int[] shards = new int[count];
    if (config.workers() == 1) {
      return shards;
    }
    for (int i = 0; i < count; i++) {
      shards[i] = partitioners.get(table).shardOf(rows[i]);
    }
    return shards;
  }

  private static int[] placesOf(int shard, int[] shards) {
    int count = 0;
    for (int candidate : shards) {
      count += candidate == shard ? 1 : 0;
    }
    int[] places = new int[count];
    int next = 0;
    for (int i = 0; i < shards.length; i++) {
      if (shards[i] == shard) {
        places[next++] = i;
      }
    }
    return places;
  }

  private static long[] at(int[] places, long[] rows) {
    long[] keys = new long[places.length];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = rows[places[i]];
    }
    return keys;
  }
}
