package dev.espalier.tuner.core.policy.board;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.SnapshotState;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.TrainingStart;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/// The durable checkpoints of a job: which are asked for, which are good, which may go.
///
/// A checkpoint is dropped only when `keep` newer ones of the same owner are durable, so the last
/// good one always stays; so does the one that is pinned as the best, until a better one is
/// durable, one that a person pinned, and one that a person wants to go back to, until a newer one
/// is durable after that. The mainline is an owner, and each run of a population is one, of which
/// one is kept until it is released.
public final class Checkpoints {
  /// The owner of the mainline's checkpoints.
  static final int MAINLINE = 0;

  /// Of the time, that checkpoints for going on may be under way; but this many seconds are never
  /// too rare.
  private static final double SHARE = 0.05;

  private static final double OFTEN_ENOUGH_SECONDS = 2;

  /// Of what workers were told to drop, how many they may not have come to.
  private static final int REMEMBERED_DROPS = 32;

  /// Where a branch stood at a checkpoint.
  ///
  /// @param owner `MAINLINE`, or the number of a run
  /// @param start that the branch belongs to
  /// @param evaluations length of the history of evaluations
  /// @param evaluatedEpochs the last whole epoch that was evaluated
  /// @param path settings and shapes of rates that led there
  public record Mark(
      long checkpoint,
      int owner,
      BranchId branch,
      long mainlineClock,
      double epochs,
      TrainingStart start,
      Setting setting,
      int evaluations,
      long evaluatedEpochs,
      List<JobPlan.ScheduleStep> path) {
    boolean isOf(Branch mainline) {
      return branch.equals(mainline.id()) && mainlineClock == mainline.scheduledMainlineClock();
    }
  }

  /// A state that was the job's best.
  ///
  /// @param value of the metric that judges the model; may be NaN
  private record Best(Mark mark, double value) {}

  private final Board board;
  private final int keep;
  private final Map<Long, Mark> pending = new LinkedHashMap<>();
  private final TreeMap<Long, Mark> durable = new TreeMap<>();
  private final Set<Integer> released = new HashSet<>();
  private Optional<Mark> lastFailed = Optional.empty();
  private final List<Best> bests = new ArrayList<>();
  private boolean isBestLost;
  private final Map<Long, Long> sizesBytes = new HashMap<>();
  private final Set<Long> pinned = new HashSet<>();
  private Optional<Mark> wanted = Optional.empty();
  private Optional<Mark> chosen = Optional.empty();
  private final List<Mark> damaged = new ArrayList<>();

  /// What workers were told last to drop; they may be lost before they come to it.
  private final ArrayDeque<Long> dropped = new ArrayDeque<>();

  private long askedLast;
  private double askedAt = Double.NEGATIVE_INFINITY;
  private double tookSeconds;

  public Checkpoints(Board board) {
    this.board = board;
    this.keep = Math.max(1, board.plan().keepCheckpoints());
  }

  /// Asks for a checkpoint of the mainline as it stands after all that is scheduled.
  public void request(Branch mainline, int evaluations, long evaluatedEpochs) {
    request(mainline, MAINLINE, evaluations, evaluatedEpochs);
  }

  /// Asks for a checkpoint of a run as it stands after all that is scheduled.
  public void requestOf(int run, Branch branch, int evaluations, long evaluatedEpochs) {
    released.remove(run);
    request(branch, run, evaluations, evaluatedEpochs);
  }

  private void request(Branch mainline, int owner, int evaluations, long evaluatedEpochs) {
    var mark =
        new Mark(
            board.book().nextCheckpoint(),
            owner,
            mainline.id(),
            mainline.scheduledMainlineClock(),
            mainline.scheduledEpochs(),
            mainline.start(),
            mainline.setting(),
            evaluations,
            evaluatedEpochs,
            mainline.path());
    pending.put(mark.checkpoint(), mark);
    askedLast = mark.checkpoint();
    askedAt = board.nowSeconds();
    tell(mark, SnapshotState.WRITING);
    board.command(new BranchCommand.Checkpoint(mainline.id(), mark.checkpoint()));
  }

  /// Pins the state of `branch`, after all that is scheduled, as the best so far: it is the job's
  /// result until another is pinned. Asks for its checkpoint unless that is there or on its way.
  ///
  /// When that checkpoint is lost, the best before it that is not is the result again.
  ///
  /// @param value of the metric that judges the model; may be NaN
  public void requestBest(Branch branch, double value, int evaluations, long evaluatedEpochs) {
    if (findFor(branch).isEmpty()) {
      request(branch, evaluations, evaluatedEpochs);
    }
    Mark mark = findFor(branch).orElseThrow();
    bests.removeIf(best -> best.mark().equals(mark));
    bests.add(new Best(mark, value));
    isBestLost = false;
    if (isBestDurable()) {
      dropOld();
    }
    board.resultIs(mark, value);
  }

  private Optional<Mark> findFor(Branch branch) {
    return Stream.concat(durable.values().stream(), pending.values().stream())
        .filter(mark -> mark.isOf(branch))
        .findFirst();
  }

  private Optional<Mark> durableBest() {
    return bests.reversed().stream()
        .map(Best::mark)
        .filter(mark -> durable.containsKey(mark.checkpoint()))
        .findFirst();
  }

  /// {@return whether the checkpoint pinned last is durable}
  public boolean isBestDurable() {
    return !isBestLost
        && !bests.isEmpty()
        && durable.containsKey(bests.getLast().mark().checkpoint());
  }

  /// {@return whether the checkpoint pinned last was lost}
  public boolean isBestLost() {
    return isBestLost;
  }

  /// Makes the best that is left the job's result where the one that is gone was it.
  private void gone(Mark mark) {
    boolean wasResult = !bests.isEmpty() && bests.getLast().mark().equals(mark);
    bests.removeIf(best -> best.mark().equals(mark));
    if (wasResult) {
      isBestLost = true;
      if (!bests.isEmpty()) {
        board.resultIs(bests.getLast().mark(), bests.getLast().value());
      }
    }
  }

  /// {@return whether there should be a new one to go on from in case the workers are lost: none is
  /// being written, and the last took little of the time since it was asked for, or that was long
  /// ago; a cost model knows nothing of what they take}
  public boolean isDue() {
    double wait =
        board.plan().time().isPresent() ? 0 : Math.min(tookSeconds / SHARE, OFTEN_ENOUGH_SECONDS);
    return pending.isEmpty() && board.nowSeconds() - askedAt >= wait;
  }

  /// {@return whether a checkpoint is being written}
  public boolean isAnyPending() {
    return !pending.isEmpty();
  }

  /// {@return whether a checkpoint of exactly this state is on its way}
  public boolean isPendingFor(Branch mainline) {
    return pending.values().stream().anyMatch(mark -> mark.isOf(mainline));
  }

  /// {@return whether a checkpoint of exactly this state is durable, or failed}
  public boolean isSettledFor(Branch mainline) {
    return isDurableFor(mainline) || lastFailed.filter(mark -> mark.isOf(mainline)).isPresent();
  }

  /// {@return whether a checkpoint of exactly this state is durable}
  public boolean isDurableFor(Branch mainline) {
    return lastDurable().filter(mark -> mark.isOf(mainline)).isPresent();
  }

  /// {@return the newest good checkpoint of a run}
  public Optional<Mark> lastDurableOf(int run) {
    return durable.descendingMap().values().stream()
        .filter(mark -> mark.owner() == run)
        .findFirst();
  }

  /// Lets the checkpoints of a run go that will not be trained on; one that is the best stays.
  public void release(int run) {
    if (released.add(run)) {
      dropOld();
    }
  }

  /// {@return the good checkpoint that training goes on from: the one that a person went back to,
  /// as long as no newer one is good, else the newest}
  public Optional<Mark> lastDurable() {
    return chosen.or(
        () -> durable.isEmpty() ? Optional.empty() : Optional.of(durable.lastEntry().getValue()));
  }

  /// {@return a good checkpoint by its number}
  public Optional<Mark> durable(long checkpoint) {
    return Optional.ofNullable(durable.get(checkpoint));
  }

  /// {@return the numbers of the good checkpoints, in words}
  public String durableInWords() {
    return durable.isEmpty() ? "there is none yet" : "there are " + durable.keySet();
  }

  /// Keeps a good checkpoint that a person wants to go back to, until that is done.
  public void hold(Mark mark) {
    wanted = Optional.of(mark);
  }

  /// Pins the job's result and where training stands, before a person goes back to another
  /// checkpoint: newer ones would drop what may be the better model.
  ///
  /// @return the numbers of those that were not pinned before, ascending
  public List<Long> pinBeforeGoingBack(Branch left) {
    List<Mark> marks =
        Stream.concat(
                durableBest().stream(), durable.values().stream().filter(mark -> mark.isOf(left)))
            .distinct()
            .filter(mark -> !pinned.contains(mark.checkpoint()))
            .sorted(Comparator.comparingLong(Mark::checkpoint))
            .toList();
    marks.forEach(mark -> pin(mark, true));
    return marks.stream().map(Mark::checkpoint).toList();
  }

  /// Makes a checkpoint the one to go on from, until a newer one is good.
  public void goBackTo(Mark mark) {
    wanted = Optional.empty();
    chosen = Optional.of(mark);
  }

  /// {@return the setting that a person went back to, if the next start is from there}
  public Optional<Setting> chosenSetting() {
    return chosen.map(Mark::setting);
  }

  /// Keeps a good checkpoint for good, or no longer.
  public void pin(Mark mark, boolean isPinned) {
    if (isPinned) {
      pinned.add(mark.checkpoint());
    } else {
      pinned.remove(mark.checkpoint());
    }
    tell(mark, SnapshotState.READY);
    dropOld();
  }

  private void tell(Mark mark, SnapshotState state) {
    board.emit(
        new SessionEffect.SnapshotChanged(
            mark.checkpoint(),
            mark.branch(),
            mark.mainlineClock(),
            mark.epochs(),
            mark.setting(),
            state,
            sizesBytes.getOrDefault(mark.checkpoint(), 0L),
            pinned.contains(mark.checkpoint())));
  }

  /// {@return whether the checkpoint was waited for}
  public boolean written(long checkpoint, long sizeBytes) {
    Mark mark = pending.remove(checkpoint);
    if (mark == null) {
      return false;
    }
    durable.put(checkpoint, mark);
    if (checkpoint == askedLast) {
      tookSeconds = board.nowSeconds() - askedAt;
    }
    sizesBytes.put(checkpoint, sizeBytes);
    chosen = Optional.empty();
    tell(mark, SnapshotState.READY);
    dropOld();
    return true;
  }

  private void dropOld() {
    var newerOfOwner = new HashMap<Integer, Integer>();
    for (Mark mark : List.copyOf(durable.descendingMap().values())) {
      int place = mustStay(mark) ? 0 : newerOfOwner.merge(mark.owner(), 1, Integer::sum);
      if (place > kept(mark.owner())) {
        durable.remove(mark.checkpoint());
        bests.removeIf(best -> best.mark().equals(mark));
        drop(mark.checkpoint());
        tell(mark, SnapshotState.DROPPED);
      }
    }
  }

  private int kept(int owner) {
    if (owner == MAINLINE) {
      return keep;
    }
    return released.contains(owner) ? 0 : 1;
  }

  private boolean mustStay(Mark mark) {
    return pinned.contains(mark.checkpoint())
        || durableBest().filter(mark::equals).isPresent()
        || wanted.filter(mark::equals).isPresent()
        || chosen.filter(mark::equals).isPresent();
  }

  /// Gives a checkpoint up that could not be written.
  ///
  /// @return what that means, in words; empty when the checkpoint was not waited for
  public Optional<String> failed(long checkpoint, String message) {
    Mark mark = pending.remove(checkpoint);
    if (mark == null) {
      return Optional.empty();
    }
    lastFailed = Optional.of(mark);
    tell(mark, SnapshotState.FAILED);
    gone(mark);
    drop(checkpoint);
    String outcome =
        "Checkpoint " + checkpoint + " failed (" + message + "); the job goes on, and " + inWords();
    board.decide(
        "checkpoint-" + checkpoint + "/failed",
        "job.checkpoint",
        outcome,
        Evidence.of().with("checkpoint", checkpoint).with("message", message));
    return Optional.of(outcome);
  }

  /// Gives up the checkpoint that workers were to start from but found damaged.
  ///
  /// @return what that means, in words; empty when they were to start from none
  public Optional<String> damaged(String message) {
    Optional<Mark> found = lastDurable();
    found.ifPresent(damaged::add);
    return found.map(mark -> giveUp(mark, "damaged", message));
  }

  /// Gives up the checkpoint that workers were to start from but did not find. What other workers
  /// have of it stays: the rest may only be out of reach.
  ///
  /// @return what that means, in words; empty when they were to start from none
  public Optional<String> missing(String message) {
    return lastDurable().map(mark -> giveUp(mark, "missing", message));
  }

  private String giveUp(Mark mark, String why, String message) {
    long checkpoint = mark.checkpoint();
    durable.remove(checkpoint);
    pinned.remove(checkpoint);
    chosen = chosen.filter(one -> !one.equals(mark));
    tell(mark, SnapshotState.FAILED);
    gone(mark);
    String outcome = "Checkpoint " + checkpoint + " is " + why + " (" + message + ")";
    board.decide(
        "checkpoint-" + checkpoint + "/" + why,
        "job.checkpoint",
        outcome + "; " + inWords(),
        Evidence.of().with("checkpoint", checkpoint).with("message", message));
    return outcome;
  }

  /// Gives up what lost workers had begun to write or found damaged, and has the new ones drop it,
  /// and what the others may not have come to drop.
  public void dropPending() {
    var toDrop = new LinkedHashSet<>(dropped);
    dropped.clear();
    damaged.forEach(mark -> toDrop.add(mark.checkpoint()));
    damaged.clear();
    toDrop.addAll(pending.keySet());
    toDrop.forEach(this::drop);
    giveUpPending();
  }

  private void drop(long checkpoint) {
    board.command(new BranchCommand.DropCheckpoint(checkpoint));
    dropped.add(checkpoint);
    if (dropped.size() > REMEMBERED_DROPS) {
      dropped.removeFirst();
    }
  }

  /// Gives up what workers that are gone had begun to write.
  public void giveUpPending() {
    List<Mark> begun = List.copyOf(pending.values());
    pending.clear();
    for (Mark mark : begun) {
      tell(mark, SnapshotState.FAILED);
      gone(mark);
    }
  }

  /// Makes the newest good checkpoint the result of a job whose own could not be saved, unless a
  /// best one is there.
  ///
  /// @param value of the metric that judges the model in a state that was saved; may be NaN
  public void settleForLast(ToDoubleFunction<Mark> value) {
    if (bests.isEmpty()) {
      lastDurable().ifPresent(mark -> board.resultIs(mark, value.applyAsDouble(mark)));
    }
  }

  /// {@return the last good checkpoint in words}
  public String inWords() {
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
