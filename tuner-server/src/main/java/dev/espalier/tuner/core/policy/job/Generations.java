package dev.espalier.tuner.core.policy.job;

import dev.espalier.api.model.JobState;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.session.SessionEffect;

/// The sets of workers a job has had: which one is current, and whether losing them leads anywhere.
final class Generations {
  /// Losses without a new checkpoint or round in between that end a job when exceeded.
  static final int MAX_LOSSES_WITHOUT_PROGRESS = 5;

  /// Generations in a row of which not all workers were ever there that end a job when exceeded, if
  /// it has a checkpoint. They may lack what the machine has again later, and pauses of up to half
  /// a minute make this half an hour, as long as workers that cannot be started at all are tried. A
  /// job that has nothing to lose yet says sooner what is wrong.
  static final int MAX_VAIN_STARTS = 60;

  private final Board board;
  private final Checkpoints checkpoints;
  private int current = 1;
  private boolean isAttached;
  private boolean wasAttached;
  private int recoveries;
  private int lossesWithoutProgress;
  // Of those, what a job that has a checkpoint is patient with.
  private int vainStarts;
  private int vainStartsInARow;

  Generations(Board board, Checkpoints checkpoints) {
    this.board = board;
    this.checkpoints = checkpoints;
  }

  int current() {
    return current;
  }

  boolean isAttached() {
    return isAttached;
  }

  void launch() {
    board.emit(new SessionEffect.LaunchWorkers(current));
  }

  void kill() {
    board.emit(new SessionEffect.KillWorkers(current));
  }

  /// Takes a generation in.
  ///
  /// @return whether it is the first that came
  boolean attach() {
    isAttached = true;
    boolean isFirst = !wasAttached;
    wasAttached = true;
    vainStartsInARow = 0;
    return isFirst;
  }

  void lose() {
    lossesWithoutProgress++;
    if (!isAttached && checkpoints.lastDurable().isPresent()) {
      vainStarts++;
      vainStartsInARow++;
    }
    isAttached = false;
  }

  /// {@return whether the workers that are coming are not the first, and there is something to lose
  /// by giving up}
  boolean mayOpenLater() {
    return wasAttached && !isAttached && checkpoints.lastDurable().isPresent();
  }

  void noteProgress() {
    lossesWithoutProgress = 0;
    vainStarts = 0;
  }

  boolean isHopeless() {
    return vainStartsInARow > MAX_VAIN_STARTS
        || lossesWithoutProgress - vainStarts > MAX_LOSSES_WITHOUT_PROGRESS;
  }

  String hopelessInWords(String reason) {
    return (vainStartsInARow > MAX_VAIN_STARTS
            ? "Workers ended %d times in a row before all of them were there"
                .formatted(vainStartsInARow)
            : "Workers were lost %d times without any progress in between"
                .formatted(lossesWithoutProgress))
        + ", the last time because "
        + reason
        + "; "
        + checkpoints.inWords();
  }

  /// Starts the next generation.
  ///
  /// @param what happened to the last one, in words
  void startAgain(String what, String reason) {
    current++;
    recoveries++;
    String outcome =
        what
            + "; new workers go on from "
            + checkpoints
                .lastDurable()
                .map(mark -> "checkpoint " + mark.checkpoint())
                .orElse("the beginning");
    board.decide(
        "recovery-" + recoveries,
        "job.recovery",
        outcome,
        Evidence.of()
            .with("reason", reason)
            .with("generation", current)
            .with("lossesWithoutProgress", lossesWithoutProgress)
            .with("checkpoint", checkpoints.inWords()));
    board.show(JobState.STARTING, "workers-lost", outcome, "workers");
    launch();
  }
}
