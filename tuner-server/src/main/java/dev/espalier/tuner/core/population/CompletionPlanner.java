package dev.espalier.tuner.core.population;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Verdict;
import dev.espalier.tuner.core.search.Observation;
import dev.espalier.tuner.core.search.Searcher;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/*
 * One setting after the other, each from the beginning until it is complete: at its longest run, or
 * when no new best came for a while. With draws at random this is random search (Bergstra, Bengio
 * 2012), with a lattice grid search, and with a Gaussian process and expected improvement Spearmint
 * (Snoek, Larochelle, Adams 2012), run as in section 5.2 of the MLtuner paper, which trains each
 * setting to its plateau.
 */

/// Trains each setting of a searcher to completion.
final class CompletionPlanner implements Planner {
  private final String policy;
  private final Searcher searcher;
  private final JobPlan.Runs options;

  CompletionPlanner(String policy, Searcher searcher, JobPlan.Runs options) {
    this.policy = policy;
    this.searcher = searcher;
    this.options = options;
  }

  @Override
  public Order next(List<Run> runs) {
    if (!runs.isEmpty() && !isComplete(runs.getLast())) {
      Run last = runs.getLast();
      return new Order(
          new Order.Step.Continue(last.number(), nextStop(last)),
          List.of(),
          Order.ROUTINE,
          "run " + last.number() + " is not complete",
          Map.of());
    }
    List<Integer> complete = runs.stream().map(Run::number).toList();
    if (runs.size() >= options.maxRuns() && !options.isEndless()) {
      return Order.done(policy + ".done", "all " + runs.size() + " runs are complete")
          .retiring(complete);
    }
    Optional<Setting> setting = searcher.propose(observations(runs), runs.size());
    return setting
        .map(proposed -> Order.start(proposed, firstStop(), policy + ".start", startInWords(runs)))
        .orElseGet(() -> Order.done(policy + ".done", "every setting was tried"))
        .retiring(complete);
  }

  private static String startInWords(List<Run> runs) {
    return runs.isEmpty() ? "the first run" : "run " + runs.getLast().number() + " is complete";
  }

  private boolean isComplete(Run run) {
    return run.hasReached(options.maxEpochs()) || isPlateau(run);
  }

  private boolean isPlateau(Run run) {
    List<Run.Result> results = run.results();
    int before = results.size() - options.patience();
    if (before < 1) {
      return false;
    }
    double early = best(results.subList(0, before));
    double late = best(results.subList(before, results.size()));
    return !(late > early);
  }

  private static double best(List<Run.Result> results) {
    return results.stream()
        .mapToDouble(Run.Result::score)
        .filter(score -> !Double.isNaN(score))
        .max()
        .orElse(Double.NEGATIVE_INFINITY);
  }

  private double firstStop() {
    return Math.min(1, options.maxEpochs());
  }

  private double nextStop(Run run) {
    return Math.min(Math.floor(run.epochs() + Run.ROUNDING) + 1, options.maxEpochs());
  }

  /// A run is worth its best result, for that is what it would give; a diverged one may have had a
  /// good result before.
  private static List<Observation> observations(List<Run> runs) {
    return runs.stream()
        .map(run -> {
          double score = run.bestScore();
          return Double.isFinite(score)
              ? new Observation(run.setting(), score, Verdict.CONVERGING)
              : new Observation(run.setting(), 0, Verdict.DIVERGED);
        })
        .toList();
  }
}
