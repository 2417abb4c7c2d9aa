package dev.espalier.tuner.core.policy.job;

import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Words;
import java.util.List;
import java.util.Optional;

/// The way back to a good checkpoint that a person chose.
///
/// Going back is no loss: it begins once where training stands is a checkpoint to come back to.
public final class WayBack {
  private final Board board;
  private final Checkpoints checkpoints;
  private final Course.Host host;
  private Optional<Wish> wish = Optional.empty();
  private int taken;
  private boolean isUnderWay;

  private record Wish(Checkpoints.Mark mark, String actor) {}

  public WayBack(Board board, Checkpoints checkpoints, Course.Host host) {
    this.board = board;
    this.checkpoints = checkpoints;
    this.host = host;
  }

  /// {@return whether a person asked for it, and it has not been taken}
  public boolean isWanted() {
    return wish.isPresent();
  }

  /// Takes in a person's wish.
  public void want(Checkpoints.Mark mark, String actor) {
    wish = Optional.of(new Wish(mark, actor));
    checkpoints.hold(mark);
  }

  /// Workers were lost: once by the way back itself, otherwise by chance, and it is still wanted.
  public void lose() {
    if (isUnderWay) {
      wish = Optional.empty();
      isUnderWay = false;
    }
  }

  /// {@return where it leads, such as "snapshot 3"}
  public String label() {
    return wish.map(wanted -> "snapshot " + wanted.mark().checkpoint()).orElse("nothing");
  }

  /// Gives the workers up and lets new ones start from the checkpoint. Nothing is lost by that: the
  /// result so far and where training stood are pinned.
  ///
  /// @param left the branch that is left; its state is saved
  public void take(Branch left) {
    Wish wanted = wish.orElseThrow();
    Checkpoints.Mark mark = wanted.mark();
    taken++;
    isUnderWay = true;
    List<Long> pinned = checkpoints.pinBeforeGoingBack(left);
    board.decide(
        "restore-" + taken,
        "request.restore",
        "Go back to "
            + label()
            + " at epoch "
            + Words.number(mark.epochs())
            + (pinned.isEmpty() ? "" : "; pinned, to come back to: " + pinned),
        wanted.actor(),
        0,
        Evidence.of()
            .with("snapshot", mark.checkpoint())
            .with("mainlineClock", mark.mainlineClock())
            .with("setting", mark.setting())
            .with("leftAtClock", left.mainlineClock())
            .with("pinned", pinned)
            .with("left", checkpoints.inWords()));
    checkpoints.goBackTo(mark);
    host.goBack(wanted.actor() + " went back to " + label());
  }
}
