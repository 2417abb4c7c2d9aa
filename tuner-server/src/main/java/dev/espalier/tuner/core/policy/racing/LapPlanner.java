package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.RacingOptions;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Slices;
import dev.espalier.tuner.core.policy.race.Lap;
import dev.espalier.tuner.core.policy.race.Pace;

/// How long the mainline's next lap is.
///
/// It ends when the time so far has grown by a factor, or a race is due and affordable, or at a
/// bound of the job. Before the first race laps are longer, for the first evaluations are all that
/// is needed.
final class LapPlanner {
  private static final double FIRST_GROWTH = 0.5;

  /// A race that is due before the next lap but one ends ends the next lap.
  private static final double MERGE = 1.5;

  private final Board board;
  private final Pace pace;
  private final RaceTimes times;
  private final RacePlanner planner;
  private final Outlook outlook;
  private final Bounds bounds;
  private final RacingOptions options;

  LapPlanner(
      Board board,
      Pace pace,
      RaceTimes times,
      RacePlanner planner,
      Outlook outlook,
      Bounds bounds) {
    this.board = board;
    this.pace = pace;
    this.times = times;
    this.planner = planner;
    this.outlook = outlook;
    this.bounds = bounds;
    this.options = board.plan().racing();
  }

  /// {@return the next lap of the mainline's branch, which is at rest}
  Lap next(Branch branch) {
    Setting incumbent = branch.setting();
    return new Lap(
        board,
        pace,
        branch,
        seconds(incumbent),
        leastClocks(incumbent),
        Math.max(1, board.clocksLeft(branch)),
        outlook.isNewStart() ? 0 : options.cooldown(),
        Slices.ALONE_EPOCHS);
  }

  private double seconds(Setting incumbent) {
    double spent = board.spentSeconds();
    double age = outlook.isNewStart() ? outlook.age(spent) : spent;
    double grown = (options.lapGrowth() - 1) * age;
    double untilRace = secondsUntilRace(incumbent);
    if (planner.races() == 0 && Double.isFinite(untilRace)) {
      grown = Math.max(grown, FIRST_GROWTH * spent);
    }
    double seconds = untilRace > 0 && untilRace < MERGE * grown ? untilRace : grown;
    return Math.min(Math.max(seconds, leastSeconds(incumbent)), bounds.secondsLeft());
  }

  private double secondsUntilRace(Setting incumbent) {
    return outlook.isNewStart()
        ? Double.POSITIVE_INFINITY
        : planner.secondsUntilNext(
            incumbent, Math.min(bounds.secondsLeft(), bounds.epochSecondsLeft()));
  }

  private double leastSeconds(Setting incumbent) {
    return pace.secondsPerClock(incumbent).orElse(0.0) * leastClocks(incumbent);
  }

  private long leastClocks(Setting incumbent) {
    return times.leastLapClocks(board.workload(), incumbent);
  }
}
