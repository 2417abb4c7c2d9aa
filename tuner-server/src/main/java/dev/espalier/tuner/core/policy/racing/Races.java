package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.race.Pace;
import dev.espalier.tuner.core.policy.race.Race;
import dev.espalier.tuner.core.policy.race.TuningBudget;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.Optional;

/// The races of a job: the one that a person wants, and the one that runs.
final class Races {
  /// A race that a person asked for.
  private record Wanted(Optional<Setting> setting, String actor) {}

  private final Board board;
  private final Pace pace;
  private final TuningBudget budget;
  private final RacePlanner planner;
  private Optional<Wanted> wanted = Optional.empty();
  private Optional<Race> running = Optional.empty();

  Races(Board board, Pace pace, TuningBudget budget, RacePlanner planner) {
    this.board = board;
    this.pace = pace;
    this.budget = budget;
    this.planner = planner;
  }

  /// {@return whether a person waits for a race}
  boolean isWanted() {
    return wanted.isPresent();
  }

  /// Takes in that a person wants a race.
  ///
  /// @param asked the challenger; empty for the neighbours of the incumbent
  void want(Optional<Setting> asked, String actor) {
    wanted = Optional.of(new Wanted(asked, actor));
  }

  /// {@return whether a race is under way}
  boolean isRunning() {
    return running.isPresent();
  }

  /// Starts the race that is due.
  ///
  /// @param parent the mainline, which is at rest
  /// @return whether it runs; false when no setting is worth a race
  boolean startDue(Branch parent, Setting incumbent) {
    return start(planner.next(incumbent), parent);
  }

  /// Starts the race that a person wants.
  ///
  /// @param parent the mainline, which is at rest
  /// @return whether it runs; false when no setting is worth a race
  boolean startWanted(Branch parent, Setting incumbent) {
    Wanted asked = wanted.orElseThrow();
    wanted = Optional.empty();
    return start(planner.wanted(incumbent, asked.setting(), asked.actor()), parent);
  }

  private boolean start(Optional<Race.Plan> plan, Branch parent) {
    running = plan.map(raced -> new Race(board, pace, budget, raced, parent));
    running.ifPresent(Race::begin);
    return isRunning();
  }

  void clockReported(Branch branch, double loss) {
    running.ifPresent(race -> race.clockReported(branch, loss));
  }

  void evaluated(SessionEvent.Evaluated event) {
    running.ifPresent(race -> race.evaluated(event));
  }

  /// Does what is next in the race under way.
  ///
  /// @return how it ended; empty while it runs
  Optional<Race.Outcome> advance() {
    running.ifPresent(Race::advance);
    return running.flatMap(Race::outcome);
  }

  /// Learns from the race that has an outcome, and takes it off the course.
  ///
  /// @return whether a person had asked for it
  boolean finish() {
    Race over = running.orElseThrow();
    running = Optional.empty();
    planner.over(over);
    return over.plan().trigger() == RoundTrigger.MANUAL;
  }

  /// Ends the race with an entrant that a person chose, or says why not.
  Optional<String> keep(BranchId branch, String actor) {
    return running.map(race -> race.keep(branch, actor)).orElse(Optional.of("no race is running"));
  }

  /// Gives an entrant up because a person asked for it, or says why not.
  Optional<String> discard(BranchId branch, String actor) {
    return running
        .map(race -> race.discard(branch, actor))
        .orElse(Optional.of("no race is running"));
  }

  /// The workers are gone, and with them the branches of the race.
  void lose() {
    running.ifPresent(race -> {
      planner.lost(race.plan(), race.running());
      race.interrupted();
    });
    running = Optional.empty();
  }

  /// Ends the race without an outcome, and wants none.
  void abandon(String why) {
    running.ifPresent(race -> race.abandon(why));
    running = Optional.empty();
    wanted = Optional.empty();
  }
}
