package dev.espalier.tuner.core.policy;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/// The durable checkpoints of a job: which are asked for, which are good, which may go.
///
/// A checkpoint is dropped only when `keep` newer ones are durable, so the last good one always
/// stays; so does the one that is pinned as the best, until a better one is durable.
final class Checkpoints {
  /// Where the mainline stood at a checkpoint.
  ///
  /// @param evaluations length of the history of evaluations
  /// @param evaluatedEpochs the last whole epoch that was evaluated
  record Mark(
      long checkpoint,
      BranchId branch,
      long mainlineClock,
      double epochs,
      int evaluations,
      long evaluatedEpochs) {
    boolean isOf(Branch mainline) {
      return branch.equals(mainline.id()) && mainlineClock == mainline.scheduledMainlineClock();
    }
  }

  private final Board board;
  private final int keep;
  private final Map<Long, Mark> pending = new LinkedHashMap<>();
  private final TreeMap<Long, Mark> durable = new TreeMap<>();
  private Optional<Mark> lastFailed = Optional.empty();
  private Optional<Mark> wantedBest = Optional.empty();
  private Optional<Mark> durableBest = Optional.empty();

  Checkpoints(Board board) {
    this.board = board;
    this.keep = Math.max(1, board.plan().keepCheckpoints());
  }

  /// Asks for a checkpoint of the mainline as it stands after all that is scheduled.
  void request(Branch mainline, int evaluations, long evaluatedEpochs) {
    var mark =
        new Mark(
            board.book().nextCheckpoint(),
            mainline.id(),
            mainline.scheduledMainlineClock(),
            mainline.scheduledEpochs(),
            evaluations,
            evaluatedEpochs);
    pending.put(mark.checkpoint(), mark);
    board.command(new BranchCommand.Checkpoint(mainline.id(), mark.checkpoint()));
  }

  /// Pins the state of `branch`, after all that is scheduled, as the best so far: it is the job's
  /// result until another is pinned. Asks for its checkpoint unless that is there or on its way.
  void requestBest(Branch branch, int evaluations, long evaluatedEpochs) {
    if (findFor(branch).isEmpty()) {
      request(branch, evaluations, evaluatedEpochs);
    }
    wantedBest = findFor(branch);
    if (wantedBest.filter(mark -> durable.containsKey(mark.checkpoint())).isPresent()) {
      durableBest = wantedBest;
      dropOld();
    }
  }

  private Optional<Mark> findFor(Branch branch) {
    return Stream.concat(durable.values().stream(), pending.values().stream())
        .filter(mark -> mark.isOf(branch))
        .findFirst();
  }

  /// {@return the pinned checkpoint that is durable: the last one that became so}
  Optional<Mark> best() {
    return durableBest;
  }

  /// {@return whether the checkpoint pinned last is durable}
  boolean isBestDurable() {
    return wantedBest.isPresent() && wantedBest.equals(durableBest);
  }

  boolean isAnyPending() {
    return !pending.isEmpty();
  }

  /// {@return whether a checkpoint of exactly this state is on its way}
  boolean isPendingFor(Branch mainline) {
    return pending.values().stream().anyMatch(mark -> mark.isOf(mainline));
  }

  /// {@return whether a checkpoint of exactly this state is durable, or failed}
  boolean isSettledFor(Branch mainline) {
    return isDurableFor(mainline) || lastFailed.filter(mark -> mark.isOf(mainline)).isPresent();
  }

  /// {@return whether a checkpoint of exactly this state is durable}
  boolean isDurableFor(Branch mainline) {
    return lastDurable().filter(mark -> mark.isOf(mainline)).isPresent();
  }

  /// {@return the newest good checkpoint}
  Optional<Mark> lastDurable() {
    return durable.isEmpty() ? Optional.empty() : Optional.of(durable.lastEntry().getValue());
  }

  /// {@return whether the checkpoint was waited for}
  boolean written(long checkpoint) {
    Mark mark = pending.remove(checkpoint);
    if (mark == null) {
      return false;
    }
    durable.put(checkpoint, mark);
    if (wantedBest.filter(mark::equals).isPresent()) {
      durableBest = wantedBest;
    }
    dropOld();
    return true;
  }

  private void dropOld() {
    long pinned = durableBest.map(Mark::checkpoint).orElse(0L);
    List<Long> others = durable.keySet().stream().filter(number -> number != pinned).toList();
    for (long number : others.subList(0, Math.max(0, others.size() - keep))) {
      durable.remove(number);
      board.command(new BranchCommand.DropCheckpoint(number));
    }
  }

  /// Gives a checkpoint up that could not be written.
  ///
  /// @return what that means, in words; empty when the checkpoint was not waited for
  Optional<String> failed(long checkpoint, String message) {
    Mark mark = pending.remove(checkpoint);
    if (mark == null) {
      return Optional.empty();
    }
    lastFailed = Optional.of(mark);
    board.command(new BranchCommand.DropCheckpoint(checkpoint));
    String outcome =
        "Checkpoint " + checkpoint + " failed (" + message + "); the job goes on, and " + inWords();
    board.decide(
        "checkpoint-" + checkpoint + "/failed",
        "job.checkpoint",
        outcome,
        Evidence.of().with("checkpoint", checkpoint).with("message", message));
    return Optional.of(outcome);
  }

  /// Gives up what lost workers had begun to write.
  void dropPending() {
    List<Long> begun = new ArrayList<>(pending.keySet());
    pending.clear();
    begun.forEach(checkpoint -> board.command(new BranchCommand.DropCheckpoint(checkpoint)));
  }

  /// {@return the last good checkpoint in words}
  String inWords() {
    return lastDurable()
        .map(mark ->
            "checkpoint "
                + mark.checkpoint()
                + " at epoch "
                + Words.number(mark.epochs())
                + " is the last good one")
        .orElse("there is no good checkpoint yet");
  }
}
