package dev.espalier.runtime;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.SequencedCommand;
import dev.espalier.api.model.Shape;
import dev.espalier.runtime.branch.BranchExecutor;
import dev.espalier.runtime.branch.CheckpointFolder;
import dev.espalier.runtime.link.TunerLink;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.runtime.link.TunerLink.Inbound;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TrainingProgram;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
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
  private final PsBackend parameters;
  private final Duration maxAlone;
  private final BranchExecutor executor;
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
    this.parameters = parameters;
    this.maxAlone = maxAlone;
    this.executor =
        new BranchExecutor(
            program, shape, assignment, parameters, checkpoints, link::report, this::awaitNotHeld);
  }

  /// What may be run without a tuner.
  private record AlonePlan(BranchId branch, long untilClock, long pieceClocks, Shape shape) {}

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
      case BranchCommand.Schedule(
              BranchId branch,
              long untilClock,
              long aloneUntilClock,
              Shape shape) -> {
        long piece = untilClock - executor.clock(branch);
        alonePlan =
            aloneUntilClock > untilClock
                ? Optional.of(new AlonePlan(branch, aloneUntilClock, Math.max(1, piece), shape))
                : Optional.empty();
      }
      // What follows an evaluation, a checkpoint above all, is about this very clock.
      case BranchCommand.Fork _, BranchCommand.Evaluate _, BranchCommand.Probe _ ->
          alonePlan = Optional.empty();
      case BranchCommand.Free(BranchId branch) ->
          alonePlan = alonePlan.filter(plan -> !plan.branch().equals(branch));
      case BranchCommand.Create _,
          BranchCommand.Restore _,
          BranchCommand.Checkpoint _,
          BranchCommand.DropCheckpoint _,
          BranchCommand.Stop _ -> {}
    }
    executor.execute(command);
  }

  private void awaitNotHeld() throws InterruptedException {
    if (!link.isHeld()) {
      return;
    }
    executor.flush();
    while (link.isHeld()) {
      requireTunerWithin();
      Thread.sleep(20);
    }
  }

  private void idle() throws InterruptedException {
    requireTunerWithin();
    if (alonePlan.isEmpty() || link.isHeld() || !link.isAlone(ALONE_GRACE)) {
      return;
    }
    AlonePlan plan = alonePlan.get();
    long clock = executor.clock(plan.branch());
    if (clock < plan.untilClock() && agreed("alone-" + plan.branch().number() + "-" + clock)) {
      long until = Math.min(plan.untilClock(), clock + plan.pieceClocks());
      log.info("no tuner: branch={} goes on from clock={} to {}", plan.branch(), clock, until);
      executor.runClocks(plan.branch(), until, plan.shape());
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
          ErrorCode.WORKERS_LOST, "no tuner for " + WorkerConfig.inWords(maxAlone) + ", ending");
    }
  }
}
