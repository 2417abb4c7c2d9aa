package dev.espalier.tuner.core.policy.population;

import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.population.Order;
import dev.espalier.tuner.core.population.Run;
import java.util.Optional;

/// Writes down, with its evidence, what becomes of the runs of a population.
final class PopulationDiary {
  private final Board board;

  PopulationDiary(Board board) {
    this.board = board;
  }

  /// A run begins or goes on, as ordered; routine is not written down.
  void ordered(PopulationRun run, double untilEpochs, Order order) {
    if (order.rule().equals(Order.ROUTINE)) {
      return;
    }
    Branch branch = run.branch().orElseThrow();
    board.decide(
        key(run, "until-" + Words.number(untilEpochs)),
        order.rule(),
        "Train "
            + run.inWords()
            + " ("
            + Words.setting(run.searched())
            + ") to epoch "
            + Words.number(untilEpochs)
            + ": "
            + order.why()
            + sourceInWords(run, order),
        Evidence.of()
            .with("branch", branch.id().number())
            .with("setting", branch.setting())
            .with("fromEpoch", branch.epochs())
            .with("untilEpoch", untilEpochs)
            .with(order.evidence()));
  }

  /// The planner knows runs by their numbers, people by their branches.
  private static String sourceInWords(PopulationRun run, Order order) {
    return order.step() instanceof Order.Step.Copy
        ? run.source().map(source -> " of " + source.inWords()).orElse("")
        : "";
  }

  /// A run that was lost with its workers is held again.
  ///
  /// @param from empty for the beginning
  void again(PopulationRun run, Branch branch, Optional<Checkpoints.Mark> from) {
    board.decide(
        key(run, "again"),
        "run.again",
        Words.sentence(run.inWords())
            + " comes back from "
            + from.map(saved -> "checkpoint " + saved.checkpoint()).orElse("the beginning"),
        Evidence.of().with("epoch", branch.epochs()).with("knownEpochs", run.knownEpochs()));
  }

  void end(PopulationRun run, String rule, String why, String actor, boolean isBest) {
    board.decide(
        key(run, "end"),
        rule,
        Words.sentence(run.inWords())
            + " ends at epoch "
            + Words.number(run.knownEpochs())
            + ": "
            + why,
        actor,
        0,
        Evidence.of()
            .with("epoch", run.knownEpochs())
            .with("bestScore", run.view().bestScore())
            .with("scores", run.view().results().stream().map(Run.Result::score).toList())
            .with("isBest", isBest)
            .with("branch", run.branch().orElseThrow().id().number()));
  }

  private static String key(PopulationRun run, String part) {
    return "run-" + run.number() + "/" + part;
  }
}
