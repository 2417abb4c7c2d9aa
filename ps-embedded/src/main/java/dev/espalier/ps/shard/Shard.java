package dev.espalier.ps.shard;

import dev.espalier.ps.branch.BranchPages;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.branch.BranchStore;
import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.branch.Snapshot;
import dev.espalier.ps.checkpoint.CheckpointShape;
import dev.espalier.ps.checkpoint.CheckpointStore;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.memory.MemoryBudget;
import dev.espalier.ps.memory.Page;
import dev.espalier.ps.memory.PagePool;
import dev.espalier.ps.memory.SharedTier;
import dev.espalier.ps.optim.Add;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowRange;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.table.RowValues;
import dev.espalier.ps.table.TableSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The owner of one contiguous range of rows of every table, on all branches.
///
/// Any thread may submit commands; they are executed one at a time under one lock, in the order in
/// which they come. A command that cannot be served yet is kept and answered by a later one; no
/// thread waits inside. Answers are given after the lock is released.
public final class Shard implements AutoCloseable {
  /// Smaller tables are in the cache, whichever pages are written.
  private static final long MIN_GRADIENT_PAGES_BYTES = 1 << 20;

  /// More than any clock has; those of all workers together still fit a long.
  private static final long MAX_SAMPLES = 1L << 40;

  /*
   * Collective commands stop a worker's lane: what a worker sends after a fork waits until the fork
   * has happened, so the fork sees what all workers sent before it and nothing else. All workers send
   * collective commands in the same order, so this cannot block for ever.
   *
   * Lock order: this lock, then a page pool's monitor, then the budget's. Snapshots are closed
   * without this lock: references to pages are counted atomically, and a page that looks shared a
   * moment too long is only written out of place once more than necessary.
   *
   * Updates never fail half way: the pages that a clock needs are reserved before its first write.
   * When the reservation fails, the clock is ended but not applied, and the branch remembers it.
   */
  private static final ShardReply ACKNOWLEDGED = new ShardReply.Acknowledged();

  /// An answer to be given when the lock is released.
  private record Answer(PendingReply pending, ShardReply reply) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final ShardConfig config;
  private final List<TablePart> tables;
  private final ClockUpdates clockUpdates;
  private final RowWork work;
  private final BranchStore store;
  private final Barriers barriers;
  private final WorkerLanes lanes;
  private final CheckpointStore checkpoints;
  private final Map<Integer, BranchState> branches = new HashMap<>();
  private final Map<Integer, Collective> births = new HashMap<>();
  private final Map<Integer, BranchPages> restored = new HashMap<>();
  private final Map<Long, Snapshot> savedSnapshots = new HashMap<>();
  private final List<Answer> answers = new ArrayList<>();
  private final ArrayPool arrays = new ArrayPool();
  private final Arrivals arrivals = new Arrivals();
  private long nextTicket;
  private long forks;
  private long forkNanos;
  private boolean isClosed;

  /// What every command is answered with from now on.
  private @Nullable ShardReply refusal;

  /// Creates a shard without branches.
  ///
  /// @param config which shard of how many, and its memory
  /// @param specs the tables, the same on all shards
  /// @param kernels the arithmetic
  public Shard(ShardConfig config, List<TableSpec> specs, RowKernels kernels) {
    this.config = config;
    Optional<DeviceMemory> device = DeviceMemory.of(config);
    try {
      tables = TableParts.of(config, specs, device.map(DeviceMemory::bytes).orElse(0L));
      work = workOf(config, device, layouts(tables), kernels);
    } catch (RuntimeException e) {
      device.ifPresent(memory -> memory.closeAfter(e));
      throw e;
    }
    clockUpdates = new ClockUpdates(tables, config.workers(), kernels, work);
    store = new BranchStore(work.pools(), layouts(tables));
    barriers = new Barriers(config.workers());
    lanes = new WorkerLanes(config.workers());
    checkpoints = new CheckpointStore(shape(config, tables));
  }

  private static RowWork workOf(
      ShardConfig config,
      Optional<DeviceMemory> device,
      List<PageLayout> layouts,
      RowKernels kernels) {
    return device.isPresent()
        ? new DeviceWork(device.get(), config.budgetBytes(), layouts)
        : new HostWork(kernels, new MemoryBudget(config.budgetBytes()), config.sharesPages());
  }

  private static List<PageLayout> layouts(List<TablePart> tables) {
    return tables.stream().map(TablePart::layout).toList();
  }

  private static CheckpointShape shape(ShardConfig config, List<TablePart> tables) {
    return new CheckpointShape(
        "shard %d of %d".formatted(config.index(), config.workers()),
        tables.stream()
            .map(table ->
                new CheckpointShape.Table(
                    table.spec().name(), table.spec().toString(), table.layout()))
            .toList());
  }

  /// Executes a command now, or keeps it until it can be served.
  ///
  /// @return its answer; a failure is an answer too, so this never completes exceptionally
  public CompletableFuture<ShardReply> submit(ShardCommand command) {
    return submit(command, new CopiedRows());
  }

  /// Executes a read now, or keeps it until it can be served.
  ///
  /// @param target receives the rows before the answer, [ShardReply.Delivered], is given
  public CompletableFuture<ShardReply> submit(ShardCommand.Read read, RowTarget target) {
    return submit(read, new DeliveredRows(target));
  }

  /// Executes a command now, or keeps it until it can be served.
  ///
  /// @param rows takes the rows if the command is a read
  /// @return its answer; a failure is an answer too, so this never completes exceptionally
  public CompletableFuture<ShardReply> submit(ShardCommand command, RowCollector rows) {
    CompletableFuture<ShardReply> reply = new CompletableFuture<>();
    List<Answer> due;
    lock.lock();
    try {
      accept(new PendingReply(command, reply, rows));
      due = List.copyOf(answers);
      answers.clear();
    } finally {
      lock.unlock();
    }
    for (Answer answer : due) {
      answer.pending().reply().complete(answer.reply());
    }
    return reply;
  }

  private void accept(PendingReply pending) {
    int worker = pending.command().worker();
    if (refusal != null || worker < 0 || worker >= config.workers()) {
      release(pending.command());
      answer(pending, refusal(worker));
    } else if (!lanes.queue(pending)) {
      execute(pending);
      for (PendingReply next = lanes.poll(); next != null; next = lanes.poll()) {
        execute(next);
      }
    }
  }

  /// Lets go what a command holds that is never executed.
  private static void release(ShardCommand command) {
    if (command instanceof ShardCommand.Push push) {
      push.batches().forEach(RowBatch::release);
    }
  }

  private ShardReply refusal(int worker) {
    return refusal != null
        ? refusal
        : new ShardReply.Failed(
            PsFault.BAD_REQUEST,
            "worker must be in [0, %d) but is %d".formatted(config.workers(), worker));
  }

  private void execute(PendingReply pending) {
    attempt(pending, () -> dispatch(pending));
  }

  /// Works on a command, which must be answered whatever happens.
  private void attempt(PendingReply pending, Runnable work) {
    try {
      work.run();
    } catch (RuntimeException | OutOfMemoryError e) {
      answer(pending, ShardReply.Failed.of(e));
    }
  }

  private void dispatch(PendingReply pending) {
    switch (pending.command()) {
      case ShardCommand.Read read -> read(read, pending);
      case ShardCommand.Push push -> push(push, pending);
      case ShardCommand.Assign assign -> assign(assign, pending);
      case ShardCommand.Create create -> bear(create.branch(), pending);
      case ShardCommand.Fork fork -> bear(fork.child(), pending);
      case ShardCommand.Free free -> free(free, pending);
      case ShardCommand.Save save -> save(save, pending);
      case ShardCommand.Barrier barrier -> vote(barrier, pending);
      case ShardCommand.Withdraw withdraw -> withdraw(withdraw, pending);
      case ShardCommand.Explain explain ->
          answer(pending, new ShardReply.Explanation(explain(explain.worker())));
    }
  }

  // ---- reads

  private void read(ShardCommand.Read read, PendingReply pending) {
    BranchState state = existing(read.branch());
    requireSound(state);
    table(read.table()).check(read.rows());
    long completed = state.clock.completed(read.worker());
    if (read.clock() < 0) {
      throw new PsException(PsFault.BAD_REQUEST, "clock must be >= 0 but is " + read.clock());
    }
    if (read.clock() > completed) {
      throw new PsException(
          PsFault.CLOCK_ORDER,
          "worker %d reads %s at clock %d, but has completed only %d clocks"
              .formatted(read.worker(), read.branch(), read.clock(), completed));
    }
    if (state.clock.mayRead(read.worker(), read.clock(), read.staleness())) {
      serve(read, pending, state);
    } else {
      state.parkedReads.add(pending);
    }
  }

  private void serve(ShardCommand.Read read, PendingReply pending, BranchState state) {
    TablePart table = table(read.table());
    BranchPages pages = store.pagesOf(read.branch());
    if (table.rule().looksBack() && read.staleness().bound() > 0) {
      table.remember(pages.table(read.table()), read.rows(), read.worker(), state.seen);
    }
    answer(pending, work.collect(table, pages, read, pending.rows()));
  }

  private void serveParkedReads(BranchState state) {
    for (Iterator<PendingReply> it = state.parkedReads.iterator(); it.hasNext(); ) {
      PendingReply pending = it.next();
      ShardCommand.Read read = (ShardCommand.Read) pending.command();
      if (state.failure != null) {
        it.remove();
        answer(pending, ShardReply.Failed.of(state.failure));
      } else if (state.clock.mayRead(read.worker(), read.clock(), read.staleness())) {
        it.remove();
        attempt(pending, () -> serve(read, pending, state));
      }
    }
  }

  // ---- updates

  private void push(ShardCommand.Push push, PendingReply pending) {
    boolean isHeld = false;
    try {
      BranchState state = existing(push.branch());
      requireSound(state);
      checkBatches(push.batches());
      if (push.samples() < 0 || push.samples() > MAX_SAMPLES) {
        throw new PsException(
            PsFault.BAD_REQUEST,
            "samples must be in [0, %d] but is %d".formatted(MAX_SAMPLES, push.samples()));
      }
      if (push.clock() >= state.clock.completed(push.worker())) {
        agreeOnSettings(push, state);
        state.clock.tick(push.worker(), push.clock());
        isHeld = push.staleness().bound() == 0;
        apply(push, state);
      }
    } finally {
      if (!isHeld) {
        // It was refused, repeated or applied at once.
        push.batches().forEach(RowBatch::release);
      }
    }
    answer(pending, ACKNOWLEDGED);
  }

  private void apply(ShardCommand.Push push, BranchState state) {
    try {
      if (push.staleness().bound() == 0) {
        hold(push, state);
        applyHeld(push.branch(), state);
      } else {
        clockUpdates.applyAlone(push, store.pagesOf(push.branch()), state.seen);
        giveArraysBack(push);
      }
    } catch (RuntimeException | OutOfMemoryError e) {
      state.failure = PsException.of(e);
      throw state.failure;
    } finally {
      state.seen.forget(push.worker());
      serveParkedReads(state);
    }
  }

  private static void agreeOnSettings(ShardCommand.Push push, BranchState state) {
    agreeOnStaleness(push, state);
    if (push.staleness().bound() == 0) {
      agreeOnStepSize(push, state);
    }
  }

  private static void agreeOnStaleness(ShardCommand.Push push, BranchState state) {
    if (state.clock.isLevel()) {
      state.staleness = push.staleness();
    } else if (!state.staleness.equals(push.staleness())) {
      throw new PsException(
          PsFault.INCONSISTENT_SETTING,
          "worker %d pushes clock %d of %s with %s, but others have %s"
              .formatted(
                  push.worker(), push.clock(), push.branch(), push.staleness(), state.staleness));
    }
  }

  private static void agreeOnStepSize(ShardCommand.Push push, BranchState state) {
    for (ShardCommand.Push other :
        state.heldPushes.getOrDefault(push.clock(), new ShardCommand.Push[0])) {
      if (other != null && !other.stepSize().equals(push.stepSize())) {
        throw new PsException(
            PsFault.INCONSISTENT_SETTING,
            "worker %d pushes clock %d of %s with %s, but worker %d has %s"
                .formatted(
                    push.worker(),
                    push.clock(),
                    push.branch(),
                    push.stepSize(),
                    other.worker(),
                    other.stepSize()));
      }
    }
  }

  private void hold(ShardCommand.Push push, BranchState state) {
    state
            .heldPushes
            .computeIfAbsent(push.clock(), _ -> new ShardCommand.Push[config.workers()])[
            push.worker()] =
        push;
  }

  private void applyHeld(BranchRef branch, BranchState state) {
    while (!state.heldPushes.isEmpty()
        && state.heldPushes.firstKey() < state.clock.completedByAll()) {
      List<ShardCommand.Push> pushes = state.pollHeld();
      try {
        clockUpdates.applyTogether(pushes, store.pagesOf(branch));
      } finally {
        pushes.forEach(this::recycle);
      }
    }
  }

  private void recycle(ShardCommand.Push push) {
    giveArraysBack(push);
    push.batches().forEach(RowBatch::release);
  }

  private void giveArraysBack(ShardCommand.Push push) {
    for (RowBatch batch : push.batches()) {
      if (batch.content() instanceof RowValues.Own(float[] array, _)) {
        arrays.giveBack(array);
      }
    }
  }

  private void assign(ShardCommand.Assign assign, PendingReply pending) {
    BranchState state = existing(assign.branch());
    requireSound(state);
    checkBatches(assign.batches());
    BranchPages pages = store.pagesOf(assign.branch());
    clockUpdates.reserve(pages, ClockUpdates.byTable(assign.batches()));
    for (RowBatch batch : assign.batches()) {
      work.assign(table(batch.table()), pages, batch);
    }
    answer(pending, ACKNOWLEDGED);
  }

  // ---- collective commands

  /// Counts a worker in, and stops its lane until all have come.
  private boolean arrive(Collective collective, PendingReply pending) {
    boolean isComplete = collective.arrive(pending);
    if (isComplete) {
      lanes.open(collective);
    } else {
      lanes.stop(pending.command().worker(), collective);
    }
    return isComplete;
  }

  private void bear(BranchRef branch, PendingReply pending) {
    Collective birth =
        births.computeIfAbsent(branch.number(), _ -> new Collective(config.workers()));
    if (!birth.pending().isEmpty() && !sameBirth(birth.first(), pending.command())) {
      throw new PsException(
          PsFault.INCONSISTENT_SETTING,
          "%s, but another worker asked for %s".formatted(pending.command(), birth.first()));
    }
    if (!arrive(birth, pending)) {
      return;
    }
    births.remove(branch.number());
    answerAll(
        birth,
        () -> {
          switch (pending.command()) {
            case ShardCommand.Fork fork -> fork(fork);
            default -> create(branch);
          }
          return ACKNOWLEDGED;
        });
  }

  private static boolean sameBirth(ShardCommand one, ShardCommand other) {
    return one instanceof ShardCommand.Fork a && other instanceof ShardCommand.Fork b
        ? a.parent().equals(b.parent())
        : one.getClass() == other.getClass();
  }

  private void create(BranchRef branch) {
    BranchPages pages = restored.remove(branch.number());
    if (pages == null) {
      store.create(branch);
    } else {
      adopt(branch, pages);
    }
    branches.put(branch.number(), new BranchState(config.workers()));
  }

  private void adopt(BranchRef branch, BranchPages pages) {
    try {
      store.adopt(branch, pages);
    } catch (RuntimeException e) {
      store.discard(pages);
      throw e;
    }
  }

  private void fork(ShardCommand.Fork fork) {
    requireDrained(fork.parent(), "fork");
    long start = System.nanoTime();
    store.fork(fork.child(), fork.parent());
    forkNanos += System.nanoTime() - start;
    forks++;
    branches.put(fork.child().number(), new BranchState(config.workers()));
  }

  private void requireDrained(BranchRef branch, String what) {
    BranchState state = existing(branch);
    requireSound(state);
    requireNoneOpen(state, branch, what);
    if (!state.heldPushes.isEmpty()) {
      throw new PsException(
          PsFault.CLOCK_ORDER,
          "cannot %s %s: not all workers have ended the same clocks, completed are %s"
              .formatted(what, branch, state.clock));
    }
  }

  private static void requireNoneOpen(BranchState state, BranchRef branch, String what) {
    if (state.openTables > 0) {
      throw new PsException(
          PsFault.CLOCK_ORDER,
          "cannot %s %s: the program has %d tables of it open"
              .formatted(what, branch, state.openTables));
    }
  }

  private void free(ShardCommand.Free free, PendingReply pending) {
    BranchState state = existing(free.branch());
    requireNoneOpen(state, free.branch(), "free");
    Collective collective = state.free == null ? new Collective(config.workers()) : state.free;
    state.free = collective;
    if (!arrive(collective, pending)) {
      return;
    }
    answerAll(
        collective,
        () -> {
          free(free.branch(), state);
          return ACKNOWLEDGED;
        });
  }

  private void free(BranchRef branch, BranchState state) {
    branches.remove(branch.number());
    try {
      store.free(branch);
      state.seen.clear();
      while (!state.heldPushes.isEmpty()) {
        state.pollHeld().forEach(this::recycle);
      }
      work.forgetFreed();
    } finally {
      PsException missing = store.tree().missing(branch);
      state.parkedReads.forEach(read -> answer(read, ShardReply.Failed.of(missing)));
    }
  }

  private void save(ShardCommand.Save save, PendingReply pending) {
    BranchState state = existing(save.branch());
    Collective collective = state.save == null ? new Collective(config.workers()) : state.save;
    state.save = collective;
    if (!arrive(collective, pending)) {
      return;
    }
    state.save = null;
    answerAll(
        collective,
        () -> {
          requireDrained(save.branch(), "save");
          long ticket = nextTicket++;
          savedSnapshots.put(ticket, store.snapshot(save.branch()));
          return new ShardReply.SnapshotTaken(ticket);
        });
  }

  private interface Action {
    ShardReply run();
  }

  private void answerAll(Collective collective, Action action) {
    ShardReply reply;
    try {
      reply = action.run();
    } catch (RuntimeException | OutOfMemoryError e) {
      reply = ShardReply.Failed.of(e);
    }
    for (PendingReply pending : collective.pending()) {
      answer(pending, reply);
    }
  }

  // ---- barriers

  private void vote(ShardCommand.Barrier barrier, PendingReply pending) {
    for (PendingReply vote : barriers.vote(barrier.name(), pending)) {
      answer(vote, new ShardReply.BarrierState(true));
    }
  }

  private void withdraw(ShardCommand.Withdraw withdraw, PendingReply pending) {
    barriers
        .withdraw(withdraw.name(), withdraw.worker())
        .ifPresent(vote -> answer(vote, new ShardReply.BarrierState(false)));
    answer(pending, new ShardReply.BarrierState(barriers.isCompleted(withdraw.name())));
  }

  // ---- for the process that owns the shard

  /// Opens a table of a branch for the program beside this shard to change where it lies.
  ///
  /// @param table with rule `add`, so that a change of a value is an update by itself
  /// @return empty where the program cannot have the rows by their addresses: others update them,
  ///   too, or they lie on a device
  /// @throws PsException `NO_SUCH_BRANCH` when it is not alive
  public Optional<OpenPages> open(BranchRef branch, int table) {
    lock.lock();
    try {
      TablePart part = table(table);
      if (!(part.rule() instanceof Add)) {
        throw new PsException(
            PsFault.BAD_REQUEST,
            "rule of table '%s' must be add to open it but is %s"
                .formatted(part.spec().name(), part.rule().name()));
      }
      if (config.workers() > 1 || !isOnHost()) {
        return Optional.empty();
      }
      BranchState state = existing(branch);
      requireSound(state);
      state.openTables++;
      return Optional.of(new OpenPages(this, branch, table, part.layout()));
    } finally {
      lock.unlock();
    }
  }

  /// Whether the rows lie in the memory of this process, and not on a device.
  public boolean isOnHost() {
    return work.isOnHost();
  }

  /// Takes fresh pages for the gradients of all rows of a table, for the next push of the worker
  /// beside this shard, which is the only one: where a step writes all pages of the table anew, as
  /// the first after a fork does, it costs as much as any other if it writes over its gradients.
  ///
  /// @return empty where it would not, there are not as many pages, or the table is small
  public Optional<RowValues.InPages> gradientPages(BranchRef branch, int table) {
    TablePart part = table(table);
    if (config.workers() > 1 || part.layout().parameterBytes() < MIN_GRADIENT_PAGES_BYTES) {
      return Optional.empty();
    }
    lock.lock();
    try {
      BranchState state = branches.get(branch.number());
      // The push will say what is wrong.
      return refusal != null || state == null || state.failure != null
          ? Optional.empty()
          : work.gradientPages(part, store.pagesOf(branch));
    } finally {
      lock.unlock();
    }
  }

  /// Copies gradients of all rows of a table within the device, for the next push of the worker
  /// beside this shard, which is the only one.
  ///
  /// @param table index of the table
  /// @param address of the device, where `rows x columns` floats lie, all work that writes them
  ///   done; good to be written when this returns
  /// @return empty where the table does not lie on a device, or it has no room
  public Optional<RowBatch> keepOnDevice(int table, long address) {
    lock.lock();
    try {
      TablePart part = table(table);
      RowRange rows = part.layout().range();
      int count = Math.toIntExact(rows.count());
      return work.keep(Math.multiplyExact(count, part.spec().columns()), address)
          .map(kept -> new RowBatch(table, new RowSelection.Range(rows.first(), count), kept));
    } finally {
      lock.unlock();
    }
  }

  /// Whether a program has tables of a branch open, so that its pages change without updates.
  public boolean isOpen(BranchRef branch) {
    lock.lock();
    try {
      return existing(branch).openTables > 0;
    } finally {
      lock.unlock();
    }
  }

  /// A page that the branch alone holds.
  Page own(BranchRef branch, int table, int page) {
    lock.lock();
    try {
      return store.pagesOf(branch).table(table).owned(page);
    } catch (PsException e) {
      // Some rows of the clock have been changed and others will not be.
      existing(branch).failure = e;
      throw e;
    } finally {
      lock.unlock();
    }
  }

  void close(BranchRef branch) {
    lock.lock();
    try {
      if (!isClosed) {
        existing(branch).openTables--;
      }
    } finally {
      lock.unlock();
    }
  }

  /// Pins a branch as it is now.
  ///
  /// @throws PsException `NO_SUCH_BRANCH` when it is not alive
  public Snapshot snapshot(BranchRef branch) {
    lock.lock();
    try {
      requireNoneOpen(existing(branch), branch, "pin");
      return store.snapshot(branch);
    } finally {
      lock.unlock();
    }
  }

  /// Takes over a snapshot pinned by [ShardCommand.Save]; to be closed by the caller.
  ///
  /// @param ticket from [ShardReply.SnapshotTaken]
  public Snapshot takeSnapshot(long ticket) {
    lock.lock();
    try {
      Snapshot snapshot = savedSnapshots.remove(ticket);
      if (snapshot == null) {
        throw new PsException(PsFault.BAD_REQUEST, "no snapshot has ticket " + ticket);
      }
      return snapshot;
    } finally {
      lock.unlock();
    }
  }

  /// Writes a snapshot to a file and packs of pages beside it, on the calling thread and without
  /// holding up commands; pages that an earlier checkpoint holds are not written again.
  ///
  /// @return what it took
  /// @throws PsException `CHECKPOINT_FAILED` when it cannot be written; then no file is left
  public CheckpointStore.Written writeCheckpoint(Snapshot snapshot, Path file) {
    return checkpoints.write(snapshot, file);
  }

  /// Reads a checkpoint, verifies all of it, and keeps it for the [ShardCommand.Create] of a
  /// branch.
  ///
  /// @throws PsException `CHECKPOINT_CORRUPT` when it is not a checkpoint of this shard
  public void stageCheckpoint(BranchRef branch, Path file) {
    lock.lock();
    try {
      BranchPages pages = store.zeros();
      try {
        reserveAll(pages);
        checkpoints.read(file, pages);
      } catch (RuntimeException | Error e) {
        store.discard(pages);
        throw e;
      }
      BranchPages earlier = restored.put(branch.number(), pages);
      if (earlier != null) {
        store.discard(earlier);
      }
    } finally {
      lock.unlock();
    }
  }

  /// The page of zeros that a table begins with becomes its last one.
  private void reserveAll(BranchPages pages) {
    Map<PagePool, Integer> needed = new HashMap<>();
    for (TablePart table : tables) {
      int fresh = Math.max(0, table.layout().pageCount() - 1);
      needed.merge(pages.table(table.index()).pool(), fresh, Math::addExact);
    }
    needed.forEach(work::reserve);
  }

  /// What the shard has done and holds.
  public ShardStats stats() {
    lock.lock();
    try {
      return new ShardStats(
          store.tree().size(),
          work.pagesInUse(),
          work.bytesInUse(),
          work.hostBudget().usedBytes(),
          work.hostBudget().limitBytes(),
          forks,
          forkNanos,
          clockUpdates.appliedCount(),
          work.device());
    } finally {
      lock.unlock();
    }
  }

  /// The memory of the pages, where other processes of this host may read it.
  public Optional<SharedTier> sharedPages() {
    return work.sharedPages();
  }

  /// The arrays of updates that were applied.
  public ArrayPool arrays() {
    return arrays;
  }

  /// What comes in for the worker beside this shard: commands to the shard, and replies to the
  /// worker.
  public Arrivals arrivals() {
    return arrivals;
  }

  /// The configuration.
  public ShardConfig config() {
    return config;
  }

  /// Refuses what still waits, and all that is asked from now on, with `LINK_LOST`; frees nothing,
  /// so that the worker beside this shard can be in the middle of a clock. For any thread.
  public void abandon() {
    refuseAll(PsFault.LINK_LOST, "shard %d serves no more".formatted(config.index()));
  }

  /// Refuses what still waits and frees all memory. Snapshots must have been closed.
  @Override
  public void close() {
    refuseAll(PsFault.CLOSED, "shard %d is closed".formatted(config.index()));
    lock.lock();
    try {
      if (!isClosed) {
        isClosed = true;
        work.close();
      }
    } finally {
      lock.unlock();
    }
  }

  private void refuseAll(PsFault fault, String message) {
    List<PendingReply> waiting = new ArrayList<>();
    ShardReply reply = new ShardReply.Failed(fault, message);
    lock.lock();
    try {
      refusal = reply;
      branches.values().forEach(state -> collectWaiting(state, waiting));
      births.values().forEach(birth -> waiting.addAll(birth.pending()));
      waiting.addAll(barriers.waiting());
      List<PendingReply> inLanes = lanes.clear();
      inLanes.forEach(pending -> release(pending.command()));
      waiting.addAll(inLanes);
    } finally {
      lock.unlock();
    }
    waiting.forEach(pending -> pending.reply().complete(reply));
  }

  private static void collectWaiting(BranchState state, List<PendingReply> waiting) {
    waiting.addAll(state.parkedReads);
    if (state.free != null) {
      waiting.addAll(state.free.pending());
    }
    if (state.save != null) {
      waiting.addAll(state.save.pending());
    }
  }

  // ---- what they share

  private BranchState existing(BranchRef branch) {
    BranchState state = branches.get(branch.number());
    if (state == null) {
      throw store.tree().missing(branch);
    }
    return state;
  }

  private static void requireSound(BranchState state) {
    if (state.failure != null) {
      throw new PsException(
          state.failure.fault(),
          "the branch failed earlier and can only be freed: " + state.failure.getMessage(),
          state.failure);
    }
  }

  private void checkBatches(List<RowBatch> batches) {
    for (RowBatch batch : batches) {
      table(batch.table()).check(batch);
    }
  }

  private TablePart table(int index) {
    if (index < 0 || index >= tables.size()) {
      throw new PsException(
          PsFault.BAD_REQUEST,
          "table must be in [0, %d) but is %d".formatted(tables.size(), index));
    }
    return tables.get(index);
  }

  private String explain(int worker) {
    List<String> waits = new ArrayList<>(barriers.describe(worker));
    births.values().stream()
        .filter(birth -> birth.hasArrived(worker))
        .forEach(birth -> waits.add(birth.describe()));
    for (BranchState state : branches.values()) {
      for (PendingReply pending : state.parkedReads) {
        if (pending.command() instanceof ShardCommand.Read read && read.worker() == worker) {
          waits.add(
              "a read of %s at clock %d with %s waits for workers %s (completed clocks by worker %s)"
                  .formatted(
                      read.branch(),
                      read.clock(),
                      read.staleness(),
                      state.clock.laggards(worker, read.clock(), read.staleness()),
                      state.clock));
        }
      }
      describeIfWaiting(state.free, worker, waits);
      describeIfWaiting(state.save, worker, waits);
    }
    return String.join("; ", waits);
  }

  private static void describeIfWaiting(
      @Nullable Collective collective, int worker, List<String> waits) {
    if (collective != null && collective.hasArrived(worker)) {
      waits.add(collective.describe());
    }
  }

  private void answer(PendingReply pending, ShardReply reply) {
    answers.add(new Answer(pending, reply));
  }
}
