package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.RacingOptions;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Workload;
import dev.espalier.tuner.core.policy.race.Pace;
import dev.espalier.tuner.core.policy.race.Race;
import dev.espalier.tuner.core.policy.race.TuningBudget;
import java.util.Optional;

/// When to race, and with how much.
///
/// A race may use what the tuning budget allows, but not more than a share of the time so far that
/// shrinks to 0.6 of itself with each race that changes nothing, down to what the smallest costs;
/// and the wait for the next race, as a factor of the time so far, grows. A race that pays sets
/// both back.
final class RaceTimes {
  /// What the winner of two rungs has run, in laps of the first.
  static final double WINNERS_LAPS = 1 + Race.RUNG_GROWTH;

  private static final double FIRST_WAIT = 1.2;
  private static final double LONGER = 1.3;
  private static final double LONGEST_WAIT = 3;
  private static final double CHEAPER = 0.6;

  /// What the smallest race costs, as a share of the time so far, is that of its lost laps and its
  /// probes, and a little more, for laps are whole clocks. With less no race would fit any more.
  private static final double ROUNDING = 1.17;

  /// However short trials may be, races are not made so cheap that they wait for ever.
  private static final double CHEAPEST = 0.05;

  private static final double PROBES = 0.3;
  private static final long LEAST_PROBE = 64;

  /// Two blocks of samples: of one alone nothing can be told from chance.
  static final long FEWEST_HELD_OUT = 32;

  private static final double EXCLUSION = 4;
  private static final long FEWEST_CLOCKS = 3;
  private static final int LEAST_EVALUATIONS = 4;

  /// Within the first passes a rare class may not be told at all, which looks like the end.
  private static final double LEAST_EPOCHS = 3;

  /// A job is short where its first race cannot start before this part of it is over.
  private static final double SHORT = 0.1;

  private static final long FIRST_LAP_CLOCKS = 8;

  private final RacingOptions options;
  private double dueAt;
  private double wait = FIRST_WAIT;
  private double share;
  private double bestAt;
  private boolean isShort;

  RaceTimes(RacingOptions options) {
    this.options = options;
    this.share = options.budget();
  }

  /// How much a race may take.
  ///
  /// @param trialSeconds of each entrant in the first rung
  record Size(int challengers, double trialSeconds, long probeSamples) {
    /// {@return how long two rungs take, without the probes}
    double seconds() {
      return laps(challengers) * trialSeconds;
    }
  }

  double secondsUntilDue(double spentSeconds) {
    return dueAt - spentSeconds;
  }

  /// {@return what a race may be now; empty when the budget is too small for the smallest}
  Optional<Size> size(
      TuningBudget budget, Pace pace, Setting incumbent, Workload workload, double spentSeconds) {
    double seconds = Math.min(budget.left(), share * spentSeconds);
    double least = leastTrial(pace, incumbent, workload, spentSeconds);
    for (int challengers = options.challengers(); challengers >= 1; challengers--) {
      double perProbe = PROBES * seconds / probes(challengers);
      double perSample = pace.secondsOfProbe(1, incumbent, workload);
      long wanted = options.probeSamples();
      long paid = perSample > 0 ? Math.min(wanted, (long) (perProbe / perSample)) : wanted;
      long samples = Math.min(paid, workload.probeSamples());
      // Where few samples judge, longer trials tell no more, so what their judging saves is saved.
      double judging = paid * perSample * probes(challengers);
      double trial = (seconds - judging) / lostLaps(challengers);
      if (trial >= least && samples >= leastProbe(workload)) {
        return Optional.of(new Size(challengers, trial, samples));
      }
    }
    return Optional.empty();
  }

  /// {@return how long the mainline must run until the smallest race is due and affordable; 0 when
  /// it is, infinite when it never will be}
  ///
  /// @param leftSeconds what the bounds of the job still allow; where that is little the wait is
  ///   exact, elsewhere a lap may end before, and the race is later and larger
  double secondsUntilRace(
      TuningBudget budget,
      Pace pace,
      Setting incumbent,
      Workload workload,
      double spentSeconds,
      double leftSeconds) {
    double cost = leastCost(pace, incumbent, workload, spentSeconds);
    double earliest = Math.max(secondsUntilDue(spentSeconds), budget.secondsUntil(cost));
    double exact = Math.max(earliest, cost / share - spentSeconds);
    if (dueAt == 0) {
      isShort = spentSeconds + exact > SHORT * (spentSeconds + leftSeconds);
    }
    return isShort ? exact : earliest;
  }

  /// {@return what the smallest race costs: one challenger, judged on all samples that are wanted
  /// where clocks take so long that this costs little, else on few}
  private double leastCost(Pace pace, Setting incumbent, Workload workload, double spentSeconds) {
    double trials = leastTrial(pace, incumbent, workload, spentSeconds) * lostLaps(1);
    double onAll = pace.secondsOfProbe(options.probeSamples(), incumbent, workload) * probes(1);
    double onFew = pace.secondsOfProbe(leastProbe(workload), incumbent, workload) * probes(1);
    return Math.max(Math.min(trials + onAll, trials / (1 - PROBES)), onFew / PROBES);
  }

  /// {@return whether enough samples are held out to tell entrants of a race from each other}
  boolean canJudge(Workload workload) {
    return mostProbe(workload) >= FEWEST_HELD_OUT;
  }

  private long mostProbe(Workload workload) {
    return Math.min(options.probeSamples(), workload.probeSamples());
  }

  private long leastProbe(Workload workload) {
    return Math.min(LEAST_PROBE, mostProbe(workload));
  }

  /// {@return how many clocks a lap of the mainline has at least}
  long leastLapClocks(Workload workload, Setting incumbent) {
    return atMostAPass(FIRST_LAP_CLOCKS, workload, incumbent);
  }

  private double leastTrial(Pace pace, Setting incumbent, Workload workload, double spentSeconds) {
    return Math.max(
        leastTrialSeconds(pace, incumbent, workload), options.trialShare() * spentSeconds);
  }

  private double leastTrialSeconds(Pace pace, Setting incumbent, Workload workload) {
    return atMostAPass(options.trialClocks(), workload, incumbent)
        * pace.secondsPerClock(incumbent).orElse(0.0);
  }

  /// Where a clock is a large part of a pass over the data it has little noise, so fewer do.
  private static long atMostAPass(long clocks, Workload workload, Setting incumbent) {
    return Math.min(clocks, Math.max(FEWEST_CLOCKS, workload.clocksPerEpoch(incumbent)));
  }

  /// First rung: all; second rung: the incumbent and who stays.
  private static double laps(int challengers) {
    return challengers + 1 + (1 + Race.staying(challengers, 1)) * Race.RUNG_GROWTH;
  }

  /// What is lost: of the last two one is kept, with its laps.
  private static double lostLaps(int challengers) {
    return laps(challengers) - WINNERS_LAPS;
  }

  /// The parent, then as many as run.
  private static double probes(int challengers) {
    return 1 + challengers + 1 + 1 + Race.staying(challengers, 1);
  }

  double manualTrialSeconds(double spentSeconds, Pace pace, Setting incumbent, Workload workload) {
    return Math.max(
        leastTrialSeconds(pace, incumbent, workload), options.trialShare() * spentSeconds);
  }

  /// A race was over before any challenger ran, so races become neither rarer nor cheaper.
  void toldNothing(double spentSeconds) {
    dueAt = spentSeconds * wait;
  }

  void raced(double spentSeconds, boolean paid, boolean isOpen) {
    if (!isOpen) {
      wait = paid ? FIRST_WAIT : Math.min(LONGEST_WAIT, wait * LONGER);
      share = paid ? options.budget() : Math.max(cheapest(), share * CHEAPER);
    }
    dueAt = spentSeconds * wait;
  }

  private double cheapest() {
    return Math.min(options.budget(), Math.max(CHEAPEST, ROUNDING * leastShare()));
  }

  /// {@return the share of the time so far that the smallest race costs where clocks are short}
  private double leastShare() {
    return lostLaps(1) * options.trialShare() / (1 - PROBES);
  }

  /// {@return whether the budget ever pays for a race, of however short clocks}
  boolean canPay() {
    return leastShare() <= options.budget();
  }

  void nothingToRace(double spentSeconds) {
    dueAt = spentSeconds * LONGEST_WAIT;
  }

  void bestAt(double spentSeconds) {
    bestAt = spentSeconds;
  }

  /// {@return whether the best is too old to hope for a better one}
  ///
  /// @param epochs passes over the data of the present model
  boolean isConverged(double spentSeconds, int evaluations, double epochs) {
    return evaluations >= LEAST_EVALUATIONS
        && epochs >= LEAST_EPOCHS
        && spentSeconds - bestAt > options.patience() * spentSeconds;
  }

  double exclusionEnd(double spentSeconds) {
    return EXCLUSION * spentSeconds;
  }
}
