package dev.espalier.tuner.core.policy.round;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.search.Searcher;
import java.util.Optional;

/// One tuning round: probe, trial time, search (MLtuner, section 3.3).
///
/// It ends with an outcome; what follows from that is the session's.
public final class Round {
  /// How a round ended.
  ///
  /// @param winner empty when nothing learns
  public record Outcome(Optional<Branch> winner, String why) {}

  private final RoundDesk desk;
  private RoundPhase phase;
  private Optional<Outcome> outcome = Optional.empty();

  Round(Board board, RoundPlan plan, Branch parent, Searcher searcher) {
    this.desk = new RoundDesk(board, plan, parent, searcher);
    this.phase = new ProbePhase(desk, this::probed);
  }

  RoundPlan plan() {
    return desk.plan();
  }

  /// {@return the mainline that its trials are forked from}
  public Branch parent() {
    return desk.parent();
  }

  /// {@return why it runs}
  public RoundTrigger trigger() {
    return desk.plan().trigger();
  }

  /// {@return how many settings were tried}
  public int trials() {
    return desk.trials().size();
  }

  Optional<Outcome> outcome() {
    return outcome;
  }

  void begin() {
    RoundPlan plan = desk.plan();
    desk.board()
        .decide(
            plan.key("start"),
            "mltuner.round",
            "Start " + plan.label() + " with at most " + Words.count(plan.maxTrials(), "trial"),
            plan.actor(),
            plan.number(),
            Evidence.of()
                .with("trigger", plan.trigger().name())
                .with("parent", desk.parent().id().number())
                .with("mainlineClock", desk.parent().mainlineClock())
                .with("epoch", desk.parent().epochs())
                .with("searcher", plan.isSearch() ? desk.board().plan().searcher() : "none")
                .with("maxTrials", plan.maxTrials()));
    desk.enter("probing");
    phase.begin();
  }

  void clockReported(Branch branch) {
    phase.clockReported(branch);
  }

  private void probed() {
    desk.decide(
        "starting-loss",
        "mltuner.starting-loss",
        "The starting loss is " + Words.number(desk.startingLoss()),
        Evidence.of().with("startingLoss", desk.startingLoss()));
    if (!Double.isFinite(desk.startingLoss())) {
      end(Optional.empty(), "the starting loss is " + desk.startingLoss());
      return;
    }
    enter(
        new TrialTimePhase(
            desk,
            new TrialTimePhase.Next() {
              @Override
              public void search(Trial best) {
                enter(new SearchPhase(desk, best, (winner, why) -> end(Optional.of(winner), why)));
              }

              @Override
              public void giveUp(Optional<Trial> best, String why) {
                end(best, why);
              }
            }));
  }

  private void enter(RoundPhase nextPhase) {
    phase = nextPhase;
    nextPhase.begin();
  }

  private void end(Optional<Trial> winner, String why) {
    winner.ifPresent(trial -> decideAdoption(trial, why));
    desk.end(winner, sentence(winner, why));
    outcome = Optional.of(new Outcome(winner.map(Trial::branch), why));
  }

  /// Gives a trial up because a person asked for it.
  ///
  /// @return why it stays; empty when it is given up
  Optional<String> discard(BranchId branch, String actor) {
    Optional<Trial> trial = openTrial(branch);
    if (trial.isEmpty()) {
      return Optional.of(notOpen(branch));
    }
    Optional<String> reason = phase.reasonToHold(trial.get());
    if (reason.isEmpty()) {
      desk.drop(trial.get(), "request.discard", "is given up as " + actor + " asked");
      phase.givenUp(trial.get());
    }
    return reason;
  }

  /// Ends the round with a trial that a person chose.
  ///
  /// @return why it goes on; empty when it has ended
  Optional<String> keep(BranchId branch, String actor) {
    Optional<Trial> found = openTrial(branch);
    if (found.isEmpty()) {
      return Optional.of(notOpen(branch));
    }
    Trial winner = found.get();
    if (winner.branch().clocks() == 0) {
      return Optional.of("branch " + branch + " has not run a clock yet");
    }
    desk.judgeAsItStands(winner);
    if (!winner.isOpen()) {
      return Optional.of("branch " + branch + " diverged");
    }
    desk.trials().stream()
        .filter(trial -> trial.isOpen() && trial != winner)
        .forEach(trial ->
            desk.drop(trial, "request.keep", "is freed: " + actor + " chose " + winner.inWords()));
    desk.settle(winner, "request.keep", "is kept: " + actor + " chose it");
    end(Optional.of(winner), actor + " chose it");
    return Optional.empty();
  }

  private Optional<Trial> openTrial(BranchId branch) {
    return desk.trials().stream()
        .filter(trial -> trial.isOpen() && trial.branch().id().equals(branch))
        .findFirst();
  }

  private String notOpen(BranchId branch) {
    return "branch " + branch + " is not an open trial of " + desk.plan().label();
  }

  private static String sentence(Optional<Trial> winner, String why) {
    return winner
        .map(trial ->
            "Adopted branch "
                + trial.branch().id()
                + " ("
                + Words.setting(trial.searched())
                + "): "
                + why)
        .orElse("No setting learns: " + why);
  }

  private void decideAdoption(Trial winner, String why) {
    desk.decide(
        "adopt",
        "mltuner.fastest-trial",
        sentence(Optional.of(winner), why),
        Evidence.of()
            .with("branch", winner.branch().id().number())
            .with("setting", winner.branch().setting())
            .with("speed", winner.speed())
            .with("trialSeconds", desk.trialSeconds())
            .with("startingLoss", desk.startingLoss())
            .with("trials", desk.scores()));
  }

  /// Ends the round without an outcome: its branches are freed.
  void abandon(String why) {
    desk.board().freeAllButMainline();
    desk.end(Optional.empty(), why);
  }
}
