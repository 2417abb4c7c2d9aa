package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.RacingOptions;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.policy.race.Entrant;
import dev.espalier.tuner.core.policy.race.Move;
import dev.espalier.tuner.core.policy.race.Pace;
import dev.espalier.tuner.core.policy.race.Race;
import dev.espalier.tuner.core.policy.race.TuningBudget;
import java.util.List;
import java.util.Optional;

/// When the next race of a job is, who races in it, and how long.
final class RacePlanner {
  private final Board board;
  private final Pace pace;
  private final TuningBudget budget;
  private final Neighbourhood neighbourhood;
  private final RaceTimes times;
  private final RacingOptions options;
  private int races;
  private String openBefore = "";

  RacePlanner(
      Board board, Pace pace, TuningBudget budget, Neighbourhood neighbourhood, RaceTimes times) {
    this.board = board;
    this.pace = pace;
    this.budget = budget;
    this.neighbourhood = neighbourhood;
    this.times = times;
    this.options = board.plan().racing();
  }

  /// {@return how many races there were, the one that runs among them}
  int races() {
    return races;
  }

  /// {@return how long the mainline must run until a race is due and affordable; infinite when none
  /// ever will be}
  ///
  /// @param leftSeconds what all bounds of the job still allow
  double secondsUntilNext(Setting incumbent, double leftSeconds) {
    return canRace()
        ? times.secondsUntilRace(
            budget, pace, incumbent, board.workload(), board.spentSeconds(), leftSeconds)
        : Double.POSITIVE_INFINITY;
  }

  private boolean canRace() {
    return board.plan().space().dimensions() > 0 && reasonForNone().isEmpty();
  }

  /// {@return why the policy itself never starts a race; empty when it does}
  Optional<String> reasonForNone() {
    return times.canPay()
        ? problem()
        : Optional.of(
            "a budget of "
                + Words.number(100 * options.budget())
                + "% never pays for trials of at least "
                + Words.number(100 * options.trialShare())
                + "% of the time each");
  }

  /// {@return why entrants cannot be told from each other; empty when they can}
  Optional<String> problem() {
    return times.canJudge(board.workload())
        ? Optional.empty()
        : Optional.of(
            Words.count(board.workload().probeSamples(), "sample")
                + " that nothing trains on cannot judge a race: at least "
                + RaceTimes.FEWEST_HELD_OUT
                + " can");
  }

  /// {@return why the incumbent has no neighbour; empty when it may have one}
  Optional<String> nothingSearched() {
    return board.plan().space().dimensions() > 0
        ? Optional.empty()
        : Optional.of("no tunable of the job is searched");
  }

  /// {@return whether a race is due, affordable, and of use for what is left of the job}
  ///
  /// @param leftSeconds what the time bound of the job still allows
  /// @param epochSeconds how long the epochs take that the job may still run
  boolean isDue(Setting incumbent, double leftSeconds, double epochSeconds) {
    return canRace()
        && times.secondsUntilDue(board.spentSeconds()) <= 0
        && pace.secondsPerClock(incumbent).isPresent()
        && leftSeconds >= options.budget() * board.spentSeconds()
        && size(incumbent).filter(size -> pays(size, leftSeconds, epochSeconds)).isPresent();
  }

  /// What a race finds must be of use for as long as its winner races: a race right before the last
  /// epoch is over costs, and gains nothing.
  private static boolean pays(RaceTimes.Size size, double leftSeconds, double epochSeconds) {
    double winners = RaceTimes.WINNERS_LAPS * size.trialSeconds();
    return leftSeconds >= size.seconds() + winners && epochSeconds >= 2 * winners;
  }

  private Optional<RaceTimes.Size> size(Setting incumbent) {
    return times.size(budget, pace, incumbent, board.workload(), board.spentSeconds());
  }

  /// Plans the race that is due.
  ///
  /// @return empty when no setting is worth a race, which is then not due for long
  Optional<Race.Plan> next(Setting incumbent) {
    RaceTimes.Size size = size(incumbent).orElseThrow();
    List<Move> moves = challengers(incumbent, size.challengers());
    if (moves.isEmpty()) {
      times.nothingToRace(board.spentSeconds());
      return Optional.empty();
    }
    races++;
    return Optional.of(
        new Race.Plan(
            races,
            races == 1 ? RoundTrigger.INITIAL : RoundTrigger.RETUNE,
            "race " + races,
            moves,
            size.trialSeconds(),
            board.spentSeconds(),
            size.probeSamples(),
            true,
            "policy"));
  }

  private List<Move> challengers(Setting incumbent, int count) {
    return neighbourhood.propose(
        incumbent,
        count,
        board.spentSeconds(),
        setting -> board.workload().problemOf(List.of(setting)).isEmpty());
  }

  /// Plans a race that a person asked for, which no budget bounds.
  ///
  /// @param asked the challenger; empty for the neighbours of the incumbent
  /// @return empty when no setting is worth a race
  Optional<Race.Plan> wanted(Setting incumbent, Optional<Setting> asked, String actor) {
    List<Move> moves =
        asked
            .map(setting -> List.of(new Move("asked", true, incumbent.with(setting))))
            .orElseGet(() -> challengers(incumbent, options.challengers()));
    if (moves.isEmpty()) {
      return Optional.empty();
    }
    races++;
    return Optional.of(
        new Race.Plan(
            races,
            RoundTrigger.MANUAL,
            "race " + races,
            moves,
            times.manualTrialSeconds(board.spentSeconds(), pace, incumbent, board.workload()),
            board.spentSeconds(),
            Math.min(options.probeSamples(), board.workload().probeSamples()),
            false,
            actor));
  }

  /// A race was broken off because workers were lost: the entrant that ran may have cost them, so
  /// it does not race again for a while, and neither does any other soon.
  ///
  /// @param running what ran then; empty for the incumbent
  void lost(Race.Plan raced, Optional<Move> running) {
    neighbourhood.learn(raced.challengers(), Optional.empty(), Optional.empty());
    running.ifPresent(
        move -> neighbourhood.excluded().bar(move, times.exclusionEnd(board.spentSeconds())));
    if (raced.trigger() != RoundTrigger.MANUAL) {
      times.raced(board.spentSeconds(), false, false);
    }
  }

  /// The validation data say that the race before was wrong.
  void refuted(Guard guard) {
    guard.learned().forEach(neighbourhood::unlearn);
    if (!guard.isAsked()) {
      times.raced(board.spentSeconds(), false, false);
    }
  }

  /// Learns from how a race ended.
  void over(Race race) {
    Race.Plan raced = race.plan();
    Race.Outcome outcome = race.outcome().orElseThrow();
    if (race.isUntried()) {
      // Judging took more than was thought, say, and the next race is planned by what it takes.
      if (raced.trigger() != RoundTrigger.MANUAL) {
        times.toldNothing(board.spentSeconds());
      }
      return;
    }
    Optional<Move> won = outcome.winner().flatMap(Entrant::move);
    // What is open twice in a row would cost more to tell than it is worth, so it counts as lost.
    Optional<Move> open = outcome.open().filter(move -> !move.key().equals(openBefore));
    openBefore = open.map(Move::key).orElse("");
    if (!outcome.isByHand()) {
      neighbourhood.learn(raced.challengers(), won, open);
      won.ifPresent(move -> neighbourhood.replaced(race.incumbent(), move, board.spentSeconds()));
    }
    if (raced.trigger() != RoundTrigger.MANUAL) {
      times.raced(board.spentSeconds(), won.isPresent(), open.isPresent());
    }
  }
}
