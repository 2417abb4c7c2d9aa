package dev.espalier.tuner.core.policy.race;

import dev.espalier.api.model.Shape;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Slices;
import java.util.Optional;

/// One stretch of a branch: a constant rate, then a linear fall to zero, planned in seconds.
///
/// A branch that ends a lap is cool: the noise of its last steps is out of it. So laps are compared
/// at their ends, and the next lap starts from there at the whole rate; what was gained while the
/// rate fell is kept (Wen et al. 2024, section 4: continuing from a decayed checkpoint costs
/// nothing).
public final class Lap {
  private static final int PACE_CLOCKS = 3;

  /// A last lap that would be shorter than this share of the one before is made part of it.
  private static final double REST = 0.1;

  private final Board board;
  private final Pace pace;
  private final Slices slices;
  private final Branch branch;
  private final long fromClock;
  private final double seconds;
  private final long minClocks;
  private final long maxClocks;
  private final double cooldownShare;
  private final double aloneEpochs;
  private long untilClock;
  private Shape shape = Shape.CONSTANT;

  /// @param seconds how long it shall take
  /// @param minClocks what it runs at least
  /// @param maxClocks what it runs at most
  /// @param cooldownShare of its clocks, over which the rate falls
  /// @param aloneEpochs how far workers without a tuner may go on, within `maxClocks`; 0 for a
  ///   branch on trial
  public Lap(
      Board board,
      Pace pace,
      Branch branch,
      double seconds,
      long minClocks,
      long maxClocks,
      double cooldownShare,
      double aloneEpochs) {
    this.board = board;
    this.pace = pace;
    this.branch = branch;
    this.fromClock = branch.clocks();
    this.seconds = seconds;
    this.minClocks = Math.min(minClocks, maxClocks);
    this.maxClocks = maxClocks;
    this.cooldownShare = cooldownShare;
    this.aloneEpochs = aloneEpochs;
    this.slices = new Slices(board);
    slices.begin(branch);
  }

  /// {@return the branch that runs it}
  public Branch branch() {
    return branch;
  }

  /// {@return clocks of the lap; 0 while the branch's pace is not known}
  public long clocks() {
    return untilClock == 0 ? 0 : untilClock - fromClock;
  }

  /// {@return whether all its clocks are reported, or no more are sent because the job's time is
  /// up}
  public boolean isOver() {
    boolean isTimeUp = board.isTimeUp() && branch.isAtRest() && branch.clocks() > fromClock;
    return isTimeUp || isWhole();
  }

  /// {@return whether it ran as long as was planned}
  boolean isWhole() {
    return untilClock > 0 && branch.clocks() >= untilClock;
  }

  /// Ends it where the scheduled clocks end, without the fall that was planned.
  public void cutShort() {
    untilClock = Math.max(branch.scheduledUntil(), branch.clocks());
  }

  /// Plans the clocks once the pace is known, and sends the next slice when it is time.
  public void runOn() {
    if (untilClock == 0 && !plan()) {
      if (branch.scheduledUntil() <= fromClock) {
        schedule(fromClock + paceClocks());
      }
      return;
    }
    long until = slices.next(branch, untilClock);
    if (until > branch.scheduledUntil()) {
      schedule(until);
    }
  }

  /// The first clock after a fork is slower than others, so one alone says little. But what is to
  /// fall must not have run before, so there are no more than stay at the whole rate in any case.
  private long paceClocks() {
    long wanted = Math.min(PACE_CLOCKS, Math.max(minClocks, branch.clocksPerEpoch()));
    long whole =
        cooldownShare > 0
            ? pace.mostSecondsPerClock(branch.setting(), board.workload())
                .map(most -> Math.max(minClocks, Math.round(seconds / most)))
                .map(clocks -> clocks - cooling(clocks))
                .orElse(wanted)
            : wanted;
    return Math.clamp(Math.min(wanted, whole), 1, Math.max(1, maxClocks));
  }

  /// The first clock of a fall still has the whole rate.
  private long cooling(long clocks) {
    return Math.max(2, Math.round(cooldownShare * clocks));
  }

  private boolean plan() {
    Optional<Double> known = pace.secondsPerClock(branch.setting());
    if (known.isEmpty() && branch.clocks() > fromClock && branch.isAtRest()) {
      pace.learn(branch);
      known = pace.secondsPerClock(branch.setting());
    }
    if (known.isEmpty()) {
      return false;
    }
    long clocks = Math.clamp(Math.round(seconds / known.get()), minClocks, maxClocks);
    if (maxClocks - clocks < REST * clocks) {
      clocks = maxClocks;
    }
    untilClock = Math.max(fromClock + clocks, branch.scheduledUntil());
    long coolFrom =
        Math.max(
            Math.max(fromClock, branch.clocks()), untilClock - cooling(untilClock - fromClock));
    if (cooldownShare > 0 && coolFrom < untilClock) {
      shape = Shape.linearToZero(coolFrom, untilClock);
    }
    return true;
  }

  private void schedule(long until) {
    long left = Math.max(0, maxClocks - (until - fromClock));
    long alone = Math.min((long) (aloneEpochs * branch.clocksPerEpoch()), left);
    slices.send(branch, until, until + alone, shape);
  }
}
