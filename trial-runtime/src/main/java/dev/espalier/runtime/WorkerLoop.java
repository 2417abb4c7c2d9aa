package dev.espalier.runtime;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.SequencedCommand;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.data.ShuffledCursor;
import dev.espalier.runtime.link.TunerLink;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.runtime.link.TunerLink.Inbound;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TrainingProgram;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes commands in clock order and executes them: fork, run clocks, evaluate, free.
///
/// One thread, which owns everything here.
final class WorkerLoop {
  /*
   * Going on alone. When no command can come, because the link is broken or the tuner says that it
   * cannot write its log, workers run the mainline on with its setting. They must do so together: a
   * worker that ran ahead of one that obeys the tuner could not undo its clocks. So each worker that
   * is out of work and alone enters a barrier named after branch and clock at the first shard, and
   * only when all have come do they run one more piece, as long as the last scheduled one. A worker
   * whose link comes back leaves the barrier, and learns from the shard whether it was too late.
   */

  private static final Logger log = LoggerFactory.getLogger(WorkerLoop.class);
  private static final Duration ALONE_GRACE = Duration.ofSeconds(2);
  private static final Duration FLUSH_PATIENCE = Duration.ofSeconds(10);

  private final TunerLink link;
  private final TrainingProgram program;
  private final ProgramShape shape;
  private final Assignment assignment;
  private final PsBackend parameters;
  private final CheckpointFolder checkpoints;
  private final Duration maxAlone;
  private final BranchLedger ledger = new BranchLedger();
  private final ProgressReporter reporter;
  private final ShuffledCursor cursor;
  private final ClockContext context;
  private Optional<AlonePlan> alonePlan = Optional.empty();

  WorkerLoop(
      TunerLink link,
      TrainingProgram program,
      ProgramShape shape,
      Assignment assignment,
      PsBackend parameters,
      CheckpointFolder checkpoints,
      Duration maxAlone) {
    this.link = link;
    this.program = program;
    this.shape = shape;
    this.assignment = assignment;
    this.parameters = parameters;
    this.checkpoints = checkpoints;
    this.maxAlone = maxAlone;
    this.reporter = new ProgressReporter(link::report);
    this.cursor = new ShuffledCursor(shape.trainingSamples(), assignment.seed());
    this.context = new ClockContext(assignment, parameters);
  }

  /// What may be run without a tuner.
  private record AlonePlan(BranchId branch, long untilClock, long pieceClocks) {}

  /// Runs until the tuner says stop or turns the worker away.
  ///
  /// @return whether the worker was stopped in good order
  boolean run() throws InterruptedException {
    while (true) {
      Inbound inbound = link.inbox().poll(20, TimeUnit.MILLISECONDS);
      switch (inbound) {
        case null -> idle();
        case Inbound.Commanded(SequencedCommand command) -> {
          apply(command.command());
          link.applied(command.sequence());
          if (command.command() instanceof BranchCommand.Stop) {
            link.flush(FLUSH_PATIENCE);
            return true;
          }
        }
        case Inbound.TurnedAway(String code, String message) -> {
          log.info("turned away code={} message={}", code, message);
          return false;
        }
        case Inbound.Welcomed _, Inbound.PeersKnown _ -> {}
      }
    }
  }

  private void apply(BranchCommand command) throws InterruptedException {
    switch (command) {
      case BranchCommand.Create(BranchId branch, Setting setting) -> create(branch, setting);
      case BranchCommand.Restore(BranchId branch, long checkpoint, Setting setting) ->
          restore(branch, checkpoint, setting);
      case BranchCommand.Fork(BranchId branch, BranchId parent, BranchKind _, Setting setting) ->
          fork(branch, parent, setting);
      case BranchCommand.Schedule(BranchId branch, long untilClock, long aloneUntilClock) -> {
        long piece = untilClock - ledger.entry(branch).clock();
        alonePlan =
            aloneUntilClock > untilClock
                ? Optional.of(new AlonePlan(branch, aloneUntilClock, Math.max(1, piece)))
                : Optional.empty();
        runClocks(branch, untilClock);
      }
      case BranchCommand.Evaluate(BranchId branch, long evaluation) -> {
        // What follows an evaluation, a checkpoint above all, is about this very clock.
        alonePlan = Optional.empty();
        evaluate(branch, evaluation);
      }
      case BranchCommand.Free(BranchId branch) -> {
        parameters.free(branch);
        ledger.free(branch);
        alonePlan = alonePlan.filter(plan -> !plan.branch().equals(branch));
      }
      case BranchCommand.Checkpoint(BranchId branch, long checkpoint) ->
          checkpoint(branch, checkpoint);
      case BranchCommand.DropCheckpoint(long checkpoint) -> drop(checkpoint);
      case BranchCommand.Stop() -> reporter.flush();
    }
  }

  private void create(BranchId branch, Setting setting) throws InterruptedException {
    parameters.create(branch);
    ledger.create(branch, setting);
    if (assignment.worker() == 0) {
      parameters.initialise(branch, () -> program.initialise(context.at(setting, new int[0], 0)));
    }
    parameters.awaitAll("initialised-" + branch.number());
  }

  private void restore(BranchId branch, long checkpoint, Setting setting)
      throws InterruptedException {
    CheckpointFolder.Place place = checkpoints.readPlace(checkpoint);
    parameters.restore(branch, checkpoints.shardFile(checkpoint));
    ledger.restore(branch, setting, place.lineageClock(), place.position());
    log.info("branch={} restored from checkpoint={}", branch, checkpoint);
  }

  private void fork(BranchId branch, BranchId parent, Setting setting) throws InterruptedException {
    alonePlan = Optional.empty();
    long start = System.nanoTime();
    parameters.fork(branch, parent);
    ledger.fork(branch, parent, setting);
    link.report(new WorkerReport.Forked(branch, (System.nanoTime() - start) / 1e9));
  }

  private void runClocks(BranchId branch, long untilClock) throws InterruptedException {
    BranchLedger.Entry entry = ledger.entry(branch);
    Setting setting = entry.setting();
    int batch = (int) setting.valueOr(Tunable.BATCH_SIZE, shape.defaultBatchSize());
    long globalBatch = (long) batch * assignment.workers();
    parameters.select(branch, setting);
    while (entry.clock() < untilClock) {
      awaitNotHeld();
      long start = System.nanoTime();
      int[] samples = cursor.indices(entry.position() + (long) assignment.worker() * batch, batch);
      Progress progress = program.clock(context.at(setting, samples, entry.lineageClock()));
      parameters.tick(progress.samples());
      long end = System.nanoTime();
      reporter.add(branch, entry.clock(), progress, (end - start) / 1e9, end);
      entry.advance(globalBatch);
    }
    reporter.flush();
  }

  private void awaitNotHeld() throws InterruptedException {
    if (!link.isHeld()) {
      return;
    }
    reporter.flush();
    while (link.isHeld()) {
      requireTunerWithin();
      Thread.sleep(20);
    }
  }

  private void evaluate(BranchId branch, long evaluation) throws InterruptedException {
    BranchLedger.Entry entry = ledger.entry(branch);
    parameters.selectForReading(branch);
    long start = System.nanoTime();
    Evaluation result =
        program.evaluate(context.at(entry.setting(), new int[0], entry.lineageClock()));
    link.report(
        new WorkerReport.Evaluated(
            evaluation, result.metrics(), result.samples(), (System.nanoTime() - start) / 1e9));
  }

  /// Saving is collective, so this worker's shard is saved even when its place cannot be: the other
  /// workers wait for it.
  private void checkpoint(BranchId branch, long checkpoint) {
    BranchLedger.Entry entry = ledger.entry(branch);
    Optional<IOException> noPlace = Optional.empty();
    try {
      checkpoints.writePlace(
          checkpoint, new CheckpointFolder.Place(entry.lineageClock(), entry.position()));
    } catch (IOException failure) {
      noPlace = Optional.of(failure);
    }
    Optional<IOException> placeFailure = noPlace;
    var _ =
        parameters
            .checkpoint(branch, checkpoints.shardFile(checkpoint))
            .whenComplete((sizeBytes, shardFailure) ->
                link.report(checkpointReport(checkpoint, sizeBytes, shardFailure, placeFailure)));
  }

  private WorkerReport checkpointReport(
      long checkpoint,
      @Nullable Long sizeBytes,
      @Nullable Throwable shardFailure,
      Optional<IOException> placeFailure) {
    if (placeFailure.isEmpty() && shardFailure == null && sizeBytes != null) {
      return new WorkerReport.CheckpointWritten(checkpoint, sizeBytes);
    }
    Throwable failure = shardFailure != null ? shardFailure : placeFailure.orElseThrow();
    return new WorkerReport.CheckpointFailed(
        checkpoint, "worker " + assignment.worker() + ": " + text(failure));
  }

  private static String text(Throwable failure) {
    Throwable cause = failure.getCause() == null ? failure : failure.getCause();
    return cause.getMessage() == null ? cause.toString() : cause.getMessage();
  }

  private void drop(long checkpoint) {
    try {
      checkpoints.drop(checkpoint);
    } catch (IOException failure) {
      log.warn("checkpoint={} cannot be deleted: {}", checkpoint, failure.getMessage());
    }
  }

  private void idle() throws InterruptedException {
    requireTunerWithin();
    if (alonePlan.isEmpty() || link.isHeld() || !link.isAlone(ALONE_GRACE)) {
      return;
    }
    AlonePlan plan = alonePlan.get();
    long clock = ledger.entry(plan.branch()).clock();
    if (clock < plan.untilClock() && agreed("alone-" + plan.branch().number() + "-" + clock)) {
      long until = Math.min(plan.untilClock(), clock + plan.pieceClocks());
      log.info("no tuner: branch={} goes on from clock={} to {}", plan.branch(), clock, until);
      runClocks(plan.branch(), until);
    }
  }

  /// {@return whether every worker came to the barrier while this one was alone}
  private boolean agreed(String barrier) throws InterruptedException {
    var everyone = parameters.enter(barrier);
    while (!everyone.isDone()) {
      if (!link.isAlone(ALONE_GRACE) || link.isHeld()) {
        return parameters.leave(barrier);
      }
      requireTunerWithin();
      Thread.sleep(20);
    }
    return everyone.isDone() && !everyone.isCompletedExceptionally();
  }

  private void requireTunerWithin() {
    if (link.brokenFor().compareTo(maxAlone) > 0) {
      throw new EspalierException(
          ErrorCode.WORKERS_LOST, "no tuner for " + maxAlone.toMinutes() + " minutes, ending");
    }
  }
}
