package dev.espalier.tuner.core.population;

import dev.espalier.tuner.core.search.Searcher;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;

/*
 * Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht, Talwalkar 2020 ("A System for Massively
 * Parallel Hyperparameter Tuning"), algorithm 2, with s = 0. Whenever workers are free: from the top
 * rung down, promote a run that is among the best 1 / eta of its rung and was not promoted; when there
 * is none, start a new one at the bottom. All workers of a job train one branch at a time, so they are
 * the paper's one worker.
 */

/// Asynchronous successive halving: a run goes on as soon as it is among the best of its rung.
final class AshaPlanner implements Planner {
  private final Searcher searcher;
  private final JobPlan.Runs options;
  private final int topRung;

  AshaPlanner(Searcher searcher, JobPlan.Runs options) {
    this.searcher = searcher;
    this.options = options;
    this.topRung = Halving.mostHalvings(options);
  }

  @Override
  public Order next(List<Run> runs) {
    List<Integer> retired = retired(runs);
    Optional<Run> behind = runs.stream().filter(run -> !run.hasReached(epochs(0))).findFirst();
    if (behind.isPresent()) {
      return promote(behind.get(), 0, List.of()).retiring(retired);
    }
    for (int rung = topRung - 1; rung >= 0; rung--) {
      List<Run> ranked = ranked(runs, rung);
      int count = ranked.size() / options.eta();
      for (Run run : ranked.subList(0, count)) {
        if (!run.hasReached(epochs(rung + 1))) {
          return promote(run, rung + 1, ranked).retiring(retired);
        }
      }
    }
    if (runs.size() >= options.maxRuns() && !options.isEndless()) {
      return Order.done(
              "asha.done", "all " + runs.size() + " runs were started and none can be promoted")
          .retiring(runs.stream().map(Run::number).toList());
    }
    return searcher
        .propose(List.of(), runs.size())
        .map(setting -> Order.start(setting, epochs(0), "asha.start", "no run can be promoted"))
        .orElseGet(() -> Order.done("asha.done", "every setting was tried"))
        .retiring(retired);
  }

  /// r eta^k; the top rung is the longest run.
  private double epochs(int rung) {
    return options.maxEpochs() * Math.pow(options.eta(), rung - topRung);
  }

  private List<Run> ranked(List<Run> runs, int rung) {
    return runs.stream()
        .filter(run -> isAt(run, rung))
        .sorted(Run.bestFirst(epochs(rung)))
        .toList();
  }

  /// Runs at the top, diverged ones, and those that so many beat already that no start could help.
  private List<Integer> retired(List<Run> runs) {
    var retired = new ArrayList<Integer>();
    for (Run run : runs) {
      if (run.hasReached(epochs(topRung)) || isHopeless(run, runs)) {
        retired.add(run.number());
      }
    }
    return retired;
  }

  private boolean isHopeless(Run run, List<Run> runs) {
    if (options.isEndless()) {
      return false;
    }
    int rung = 0;
    while (rung < topRung && isAt(run, rung + 1)) {
      rung++;
    }
    int place = ranked(runs, rung).indexOf(run);
    return place >= (double) options.maxRuns() / options.eta();
  }

  /// A run that diverged counts, as the worst, at the rung that it was on its way to.
  private boolean isAt(Run run, int rung) {
    return run.hasDiverged()
        ? rung == 0 || run.epochs() >= epochs(rung - 1) - Run.ROUNDING
        : run.hasReached(epochs(rung));
  }

  private Order promote(Run run, int rung, List<Run> compared) {
    var evidence = new LinkedHashMap<String, Object>();
    evidence.put("rung", (long) rung);
    evidence.put("eta", (long) options.eta());
    if (rung > 0) {
      evidence.put("scores", Order.scores(compared, one -> one.scoreAt(epochs(rung - 1))));
    }
    return new Order(
        new Order.Step.Continue(run.number(), epochs(rung)),
        List.of(),
        rung > 0 ? "asha.promote" : Order.ROUTINE,
        "it is among the best 1/" + options.eta() + " of " + compared.size() + " at its rung",
        evidence);
  }
}
