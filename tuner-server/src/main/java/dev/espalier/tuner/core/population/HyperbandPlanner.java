package dev.espalier.tuner.core.population;

import dev.espalier.tuner.core.search.Searcher;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;

/// Brackets of successive halving, from many short runs to few long ones (Li, Jamieson, DeSalvo,
/// Rostamizadeh, Talwalkar 2018, algorithm 1), again and again while there is time.
///
/// Settings are drawn at random. A run that goes on to the next rung is continued, not started
/// anew.
final class HyperbandPlanner implements Planner {
  private final Searcher searcher;
  private final JobPlan.Runs options;
  private final List<Halving> brackets;

  HyperbandPlanner(Searcher searcher, JobPlan.Runs options) {
    this.searcher = searcher;
    this.options = options;
    this.brackets = Halving.brackets(options);
  }

  @Override
  public Order next(List<Run> runs) {
    int from = 0;
    for (int round = 1; ; round++) {
      for (Halving bracket : brackets) {
        int until = Math.min(runs.size(), from + bracket.starts());
        List<Run> own = runs.subList(from, until);
        Optional<Order> order = next(bracket, own, runs.size());
        if (order.isPresent()) {
          List<Integer> earlier = runs.subList(0, from).stream().map(Run::number).toList();
          return withRetired(order.get(), earlier);
        }
        from = until;
      }
      if (!options.isEndless() && from >= options.maxRuns()) {
        return Order.done(
                "hyperband.done",
                "all " + brackets.size() + " brackets of round " + round + " are done")
            .retiring(runs.stream().map(Run::number).toList());
      }
    }
  }

  private static Order withRetired(Order order, List<Integer> earlier) {
    var all = new ArrayList<>(earlier);
    all.addAll(order.retired());
    return order.retiring(all);
  }

  /// {@return what the bracket needs; empty when it is done}
  private Optional<Order> next(Halving bracket, List<Run> own, int allRuns) {
    double first = bracket.rungs().getFirst().epochs();
    Optional<Run> behind = own.stream().filter(run -> !run.hasReached(first)).findFirst();
    if (behind.isPresent()) {
      return Optional.of(go(bracket, 0, behind.get(), own));
    }
    if (own.size() < bracket.starts()) {
      Order start =
          searcher
              .propose(List.of(), allRuns)
              .map(setting -> Order.start(setting, first, "hyperband.start", place(bracket, own)))
              .orElseGet(() -> Order.done("hyperband.done", "every setting was tried"));
      return Optional.of(start);
    }
    return promotion(bracket, own);
  }

  private static Optional<Order> promotion(Halving bracket, List<Run> own) {
    List<Run> left = own;
    for (int i = 1; i < bracket.rungs().size(); i++) {
      List<Run> ranked =
          left.stream().sorted(Run.bestFirst(bracket.rungs().get(i - 1).epochs())).toList();
      List<Run> best = ranked.subList(0, bracket.rungs().get(i).runs());
      double target = bracket.rungs().get(i).epochs();
      Optional<Run> next = best.stream().filter(run -> !run.hasReached(target)).findFirst();
      if (next.isPresent()) {
        List<Integer> out =
            own.stream().filter(run -> !best.contains(run)).map(Run::number).toList();
        return Optional.of(go(bracket, i, next.get(), ranked).retiring(out));
      }
      left = best;
    }
    return Optional.empty();
  }

  private static String place(Halving bracket, List<Run> own) {
    return "number "
        + (own.size() + 1)
        + " of "
        + bracket.starts()
        + " in bracket s = "
        + bracket.s();
  }

  private static Order go(Halving bracket, int rung, Run run, List<Run> compared) {
    var evidence = new LinkedHashMap<String, Object>();
    evidence.put("bracket", (long) bracket.s());
    evidence.put("rung", (long) rung);
    if (rung > 0) {
      double before = bracket.rungs().get(rung - 1).epochs();
      evidence.put("scores", Order.scores(compared, one -> one.scoreAt(before)));
    }
    return new Order(
        new Order.Step.Continue(run.number(), bracket.rungs().get(rung).epochs()),
        List.of(),
        rung > 0 ? "hyperband.halve" : Order.ROUTINE,
        "it is among the best "
            + bracket.rungs().get(rung).runs()
            + " of "
            + compared.size()
            + " in bracket s = "
            + bracket.s(),
        evidence);
  }
}
