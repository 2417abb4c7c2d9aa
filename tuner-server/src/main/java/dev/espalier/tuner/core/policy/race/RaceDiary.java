package dev.espalier.tuner.core.policy.race;

import dev.espalier.api.model.RacingOptions;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.session.SessionEffect;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Writes down, with its evidence, what happens in one race.
final class RaceDiary {
  /// Seconds that differ by less are said to be the same.
  private static final double ALIKE = 1.1;

  private final Board board;
  private final RacingOptions options;
  private final Race.Plan plan;
  private final Branch parent;
  private final Field field;
  private final Judge judge;

  RaceDiary(Board board, Race.Plan plan, Branch parent, Field field, Judge judge) {
    this.board = board;
    this.options = board.plan().racing();
    this.plan = plan;
    this.parent = parent;
    this.field = field;
    this.judge = judge;
  }

  void start(double rungSeconds) {
    board.decide(
        key("start"),
        "racing.race",
        "Start "
            + plan.label()
            + ": "
            + Words.count(plan.challengers().size(), "setting")
            + " against the incumbent, "
            + Words.number(rungSeconds)
            + " s each to begin with",
        plan.actor(),
        plan.number(),
        Evidence.of()
            .with("trigger", plan.trigger().name())
            .with("parent", parent.id().number())
            .with("mainlineClock", parent.mainlineClock())
            .with("epoch", parent.epochs())
            .with("incumbent", parent.setting())
            .with("challengers", plan.challengers().stream().map(RaceDiary::describe).toList())
            .with("trialSeconds", rungSeconds)
            .with("probeSamples", plan.probeSamples())
            .with("tuningSeconds", board.tuningSeconds())
            .with("spentSeconds", board.spentSeconds())
            .with("budget", options.budget()));
  }

  private static Map<String, Object> describe(Move move) {
    var text = new LinkedHashMap<String, Object>();
    text.put("move", move.key());
    text.put("setting", move.setting().values());
    return text;
  }

  /// @param table of all who ran the rung, before anyone left for it
  void rung(int rung, double rungSeconds, Entrant leader, List<Map<String, Object>> table) {
    List<Entrant> stay = field.left();
    board.decide(
        key("rung-" + rung),
        "racing.rung",
        "After "
            + secondsEach(stay)
            + ", "
            + leader.inWords()
            + " leads; "
            + stay.size()
            + " of "
            + Words.count(table.size(), "entrant")
            + (stay.size() == 1 ? " stays" : " stay"),
        "policy",
        plan.number(),
        Evidence.of()
            .with("rung", rung)
            .with("rungSeconds", rungSeconds)
            .with("confidence", options.confidence())
            .with("probeSamples", plan.probeSamples())
            .with("horizonSeconds", plan.horizonSeconds())
            .with("leader", leader.number())
            .with("parentLoss", judge.parentLoss())
            .with("entrants", table));
  }

  private static String secondsEach(List<Entrant> entrants) {
    var seconds =
        entrants.stream().mapToDouble(entrant -> entrant.branch().seconds()).summaryStatistics();
    String least = Words.number(seconds.getMin());
    return seconds.getMax() <= ALIKE * seconds.getMin()
        ? least + " s each"
        : least + " to " + Words.number(seconds.getMax()) + " s";
  }

  /// {@return a row for each entrant that is left, each measured against one of them}
  List<Map<String, Object>> table(Entrant against) {
    return field.left().stream().map(entrant -> row(entrant, against)).toList();
  }

  private Map<String, Object> row(Entrant entrant, Entrant leader) {
    PairedDifference difference = judge.now(entrant, leader);
    var row = new LinkedHashMap<String, Object>();
    row.put("entrant", (long) entrant.number());
    row.put("branch", (long) entrant.branch().id().number());
    row.put("move", entrant.move().map(Move::key).orElse("incumbent"));
    row.put("setting", entrant.branch().setting().values());
    row.put("clocks", entrant.branch().clocks());
    row.put("seconds", entrant.branch().seconds());
    row.put("loss", entrant.loss());
    row.put("aboveLeader", difference.mean());
    row.put("aboveLeaderLower", difference.lower());
    row.put("aboveLeaderUpper", difference.upper());
    row.put("pairs", (long) difference.pairs());
    PairedDifference ahead = judge.ahead(entrant, leader);
    row.put("forecastAboveLeader", ahead.mean());
    row.put("forecastAboveLeaderLower", ahead.lower());
    row.put("forecastAboveLeaderUpper", ahead.upper());
    PairedDifference byMetric = judge.byMetric(entrant, leader);
    if (byMetric.pairs() > 0) {
      row.put("metricAboveLeader", byMetric.mean());
      row.put("metricAboveLeaderLower", byMetric.lower());
      row.put("metricAboveLeaderUpper", byMetric.upper());
    }
    row.put("stepsPerSecond", judge.stepsPerSecond(entrant));
    return row;
  }

  void lost(Judge.Loser loser, int rung) {
    PairedDifference difference = loser.difference();
    say(
        loser.entrant(),
        rung,
        loser.rule(),
        loser.why(),
        Evidence.of()
            .with("loss", loser.entrant().loss())
            .with("difference", difference.mean())
            .with("lower", difference.lower())
            .with("upper", difference.upper())
            .with("pairs", difference.pairs())
            .with("confidence", options.confidence()));
  }

  void say(Entrant entrant, int rung, String rule, String what, Evidence evidence) {
    board.decide(
        key("entrant-" + entrant.number()),
        rule,
        Words.sentence(entrant.inWords())
            + " ("
            + Words.setting(entrant.branch().setting())
            + ") "
            + what,
        "policy",
        plan.number(),
        evidence
            .with("branch", entrant.branch().id().number())
            .with("setting", entrant.branch().setting())
            .with("clocks", entrant.branch().clocks())
            .with("seconds", entrant.branch().seconds())
            .with("rung", rung));
  }

  /// @param table of those that were left at the end; empty when all diverged
  void result(Race.Outcome outcome, int rungs, List<Map<String, Object>> table) {
    Optional<Entrant> winner = outcome.winner();
    board.decide(
        key("result"),
        outcome.isChange() ? "racing.adopt" : "racing.keep",
        sentence(outcome),
        "policy",
        plan.number(),
        Evidence.of()
            .with("winner", winner.map(Entrant::number).orElse(-1))
            .with("setting", winner.map(Entrant::branch).orElse(parent).setting())
            .with("rungs", rungs)
            .with("horizonSeconds", plan.horizonSeconds())
            .with("confidence", options.confidence())
            .with("entrants", table)
            .with("tuningSeconds", board.tuningSeconds())
            .with("spentSeconds", board.spentSeconds()));
  }

  static String sentence(Race.Outcome outcome) {
    return outcome
        .winner()
        .map(entrant ->
            entrant.isIncumbent()
                ? "Kept " + Words.setting(entrant.branch().setting()) + ": " + outcome.why()
                : "Adopted branch "
                    + entrant.branch().id()
                    + " ("
                    + Words.setting(entrant.branch().setting())
                    + "): "
                    + outcome.why())
        .orElse("No entrant is left: " + outcome.why());
  }

  /// Shows the race as a round of the job.
  void tell(String phase, double rungSeconds, Optional<Entrant> winner, String text) {
    board.emit(
        new SessionEffect.RoundChanged(
            plan.number(),
            plan.trigger(),
            phase,
            parent.id(),
            field.size(),
            field.size(),
            rungSeconds,
            winner.map(entrant -> entrant.branch().id()),
            text));
  }

  private String key(String decision) {
    return "round-" + plan.number() + "/" + decision;
  }
}
