package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.Prior;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.policy.job.History;

/// Writes down, with its evidence, what a racing job decides outside its races.
final class RacingDiary {
  private final Board board;
  private final History history;
  private int retreats;
  private int restarts;
  private int rollBacks;

  RacingDiary(Board board, History history) {
    this.board = board;
    this.history = history;
  }

  void first(Setting setting, double budget) {
    board.decide(
        "setting",
        "racing.first",
        "Train with "
            + Words.setting(setting)
            + " at once; others race it as the budget of "
            + Words.number(100 * budget)
            + "% allows",
        Evidence.of().with("setting", setting).with("budget", budget));
  }

  void noRaces(String problem) {
    board.decide(
        "no-races",
        "racing.none",
        "Train without races: " + problem,
        Evidence.of().with("heldOutSamples", board.workload().probeSamples()));
  }

  void nothingToRace(Setting incumbent) {
    board.decide(
        "nothing-to-race",
        "racing.none",
        "No setting beside " + Words.setting(incumbent) + " can be raced now",
        Evidence.of().with("setting", incumbent));
  }

  void prior(Prior prior) {
    String found =
        "Job "
            + prior.job()
            + (prior.sameData() ? " of the same program and data" : " of the same program")
            + " reached "
            + prior.metric()
            + " "
            + Words.number(prior.value());
    String notes = prior.notes().isEmpty() ? "" : " (" + String.join("; ", prior.notes()) + ")";
    board.decide(
        "prior/" + prior.job(),
        "racing.prior",
        prior.hasSetting()
            ? found + " with " + Words.setting(prior.setting()) + notes + ": that races first"
            : found + ", but its setting is of no use here" + notes,
        Evidence.of()
            .with("job", prior.job())
            .with("setting", prior.setting())
            .with("metric", prior.metric())
            .with("value", prior.value())
            .with("epoch", prior.epoch())
            .with("sameData", prior.sameData())
            .with("notes", prior.notes()));
  }

  void retreat(double value, Setting incumbent, Branch to, Setting next) {
    retreats++;
    board.decide(
        "retreat-" + retreats,
        "racing.retreat",
        sinceBest(value)
            + ": go back to clock "
            + to.mainlineClock()
            + " and go on with "
            + Words.setting(next),
        evidenceOf(value, incumbent).with("goBackTo", to.mainlineClock()).with("next", next));
  }

  void restart(double value, Setting incumbent, Setting next) {
    restarts++;
    board.decide(
        "restart-" + restarts,
        "racing.restart",
        sinceBest(value) + ": begin anew with " + Words.setting(next),
        evidenceOf(value, incumbent).with("next", next));
  }

  void giveUp(Setting lost, int losses, Setting next) {
    restarts++;
    board.decide(
        "restart-" + restarts,
        "racing.restart",
        "Workers were lost "
            + losses
            + " times with "
            + Words.setting(lost)
            + ": go on with "
            + Words.setting(next),
        Evidence.of().with("setting", lost).with("losses", losses).with("next", next));
  }

  private String sinceBest(double value) {
    return board.plan().validation().name()
        + " is "
        + Words.number(value)
        + ", no better than "
        + history
            .best()
            .map(best -> Words.number(best.value()) + " at clock " + best.mainlineClock())
            .orElse("before");
  }

  private Evidence evidenceOf(double value, Setting incumbent) {
    return Evidence.of()
        .with("value", value)
        .with("best", history.best().map(History.Entry::value).orElse(Double.NaN))
        .with("range", history.range())
        .with("setting", incumbent)
        .with("spentSeconds", board.spentSeconds());
  }

  void refuted(int race, Guard guard, double value, Setting incumbent) {
    board.decide(
        "guard-" + race,
        "racing.guard",
        board.plan().validation().name()
            + " fell from "
            + Words.number(guard.metric())
            + " to "
            + Words.number(value)
            + " since "
            + Words.setting(incumbent)
            + " was adopted: go back to "
            + Words.setting(guard.incumbent()),
        Evidence.of()
            .with("before", guard.metric())
            .with("after", value)
            .with("range", history.range())
            .with("tolerance", Guard.TOLERANCE)
            .with("setting", incumbent)
            .with("goBackTo", guard.incumbent()));
  }

  void rollBack(String what, Branch from, Branch to, Setting next) {
    rollBacks++;
    board.decide(
        "rollback-" + rollBacks,
        "racing.rollback",
        what
            + ": go back to clock "
            + to.mainlineClock()
            + " and go on with "
            + Words.setting(next),
        Evidence.of()
            .with("mainlineClock", from.mainlineClock())
            .with("setting", from.setting())
            .with("goBackTo", to.mainlineClock())
            .with("next", next));
  }
}
