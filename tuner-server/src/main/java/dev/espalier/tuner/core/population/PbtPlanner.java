package dev.espalier.tuner.core.population;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.search.Searcher;
import dev.espalier.tuner.core.search.Searchers;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/*
 * Jaderberg et al. 2017 ("Population Based Training of Neural Networks"), algorithm 1 and section
 * 4.1.1. Members train in turn, the one that is least far first. When a member has trained for an
 * interval it is ready, and
 *
 *   exploits by truncation selection: if it is among the worst share of the population, it takes the
 *   weights and the setting of a member drawn from the best share;
 *   explores then: each tunable is drawn afresh from its prior with some probability, and otherwise
 *   perturbed by a factor of 1.2 or 0.8; a choice moves to a neighbour (as in Ray's implementation,
 *   whose resampling probability of 0.25 is the default here too).
 *
 * Taking the weights is a fork, so optimizer state and place in the data come with them. The paper's
 * members train at a time and so are compared at about one age; here each is compared with what the
 * others had reached at its own age, give or take half an interval. One that has trained its epochs is
 * not copied: the copy would have nothing left to train, so that its setting is never tried.
 */

/// A population whose worst members go on as varied copies of its best.
final class PbtPlanner implements Planner {
  private final SearchSpace space;
  private final Searcher searcher;
  private final JobPlan.Runs options;
  private final long seed;

  PbtPlanner(SearchSpace space, Searcher searcher, JobPlan.Runs options, long seed) {
    this.space = space;
    this.searcher = searcher;
    this.options = options;
    this.seed = seed;
  }

  @Override
  public Order next(List<Run> runs) {
    List<Run> members = members(runs);
    List<Integer> retired = retired(runs, members);
    if (members.size() < options.populationSize()) {
      Run last = members.isEmpty() ? null : members.getLast();
      double first = Math.min(options.intervalEpochs(), options.maxEpochs());
      if (last != null && !last.hasReached(first)) {
        return goOn(last).retiring(retired);
      }
      return searcher
          .propose(List.of(), runs.size())
          .map(setting ->
              Order.start(
                  setting,
                  first,
                  "pbt.start",
                  "member " + (runs.size() + 1) + " of " + options.populationSize()))
          .orElseGet(() -> Order.done("pbt.done", "every setting was tried"));
    }
    Run next =
        members.stream()
            .filter(run -> !run.hasReached(options.maxEpochs()) || canReplace(run, members))
            .min(Comparator.comparingDouble(Run::epochs).thenComparingInt(Run::member))
            .orElse(null);
    if (next == null) {
      return Order.done("pbt.done", "all members have trained their epochs").retiring(retired);
    }
    return step(next, members, runs.size()).retiring(retired);
  }

  /// {@return the latest run of each member, by member}
  private static List<Run> members(List<Run> runs) {
    var latest = new TreeMap<Integer, Run>();
    runs.forEach(run -> latest.put(run.member(), run));
    return List.copyOf(latest.values());
  }

  private static List<Integer> retired(List<Run> runs, List<Run> members) {
    return runs.stream().filter(run -> !members.contains(run)).map(Run::number).toList();
  }

  /// A diverged member lives on as a copy, as long as there is one to copy that is not at its end.
  private boolean canReplace(Run run, List<Run> members) {
    return run.hasDiverged()
        && ranked(members, run.epochs()).subList(0, share(members)).stream()
            .anyMatch(this::canBeCopied);
  }

  private boolean canBeCopied(Run run) {
    return !run.hasReached(options.maxEpochs());
  }

  private Order step(Run run, List<Run> members, int allRuns) {
    boolean isReady = run.hasDiverged() || run.epochs() > run.startEpochs() + Run.ROUNDING;
    List<Run> ranked = ranked(members, run.epochs());
    int share = share(members);
    int place = ranked.indexOf(run);
    // There may be more that diverged than are replaced at a time: none of them can go on.
    boolean isAmongWorst = run.hasDiverged() || place >= ranked.size() - share;
    if (!isReady || !isAmongWorst) {
      return goOn(run);
    }
    List<Run> best =
        ranked.subList(0, share).stream()
            .filter(other -> canBeCopied(other) && !other.equals(run))
            .toList();
    if (best.isEmpty()) {
      return run.hasDiverged()
          ? Order.done("pbt.done", "every member that could be copied has diverged")
          : goOn(run);
    }
    var random = new SplittableRandom(Searchers.seedOf(seed, allRuns));
    Run source = best.get(random.nextInt(best.size()));
    var changes = new ArrayList<String>();
    Setting explored = explore(source.setting(), allRuns, random, changes);
    var evidence = new LinkedHashMap<String, Object>();
    evidence.put("place", (long) place + 1);
    evidence.put("replaced", (long) share);
    evidence.put("changes", List.copyOf(changes));
    evidence.put("scores", Order.scores(ranked, one -> scoreAtAge(one, run.epochs())));
    return new Order(
        new Order.Step.Copy(
            source.number(),
            run.number(),
            explored,
            Math.min(source.epochs() + options.intervalEpochs(), options.maxEpochs())),
        List.of(),
        "pbt.exploit",
        "member "
            + run.member()
            + " is among the worst "
            + share
            + " of "
            + members.size()
            + " and goes on as a copy",
        evidence);
  }

  private Order goOn(Run run) {
    double until = run.startEpochs() + options.intervalEpochs();
    while (until <= run.epochs() + Run.ROUNDING) {
      until += options.intervalEpochs();
    }
    return new Order(
        new Order.Step.Continue(run.number(), Math.min(until, options.maxEpochs())),
        List.of(),
        Order.ROUTINE,
        "member " + run.member() + " is the least far",
        Map.of());
  }

  private List<Run> ranked(List<Run> members, double age) {
    return members.stream()
        .sorted(
            Comparator.comparingDouble((Run run) -> -scoreAtAge(run, age))
                .thenComparingInt(Run::member))
        .toList();
  }

  private double scoreAtAge(Run run, double age) {
    return run.scoreUpTo(age + options.intervalEpochs() / 2);
  }

  private int share(List<Run> members) {
    return Math.max(1, (int) Math.floor(members.size() * options.truncation() + Run.ROUNDING));
  }

  private Setting explore(
      Setting setting, int draw, SplittableRandom random, List<String> changes) {
    Setting fresh = searcher.propose(List.of(), draw).orElse(setting);
    Setting explored = setting;
    for (Tunable tunable : space.tunables()) {
      double value = setting.value(tunable.name());
      boolean isResampled = random.nextDouble() < options.resample();
      boolean isUp = random.nextBoolean();
      double changed = isResampled ? fresh.value(tunable.name()) : perturbed(tunable, value, isUp);
      changes.add(tunable.name() + (isResampled ? " drawn afresh" : isUp ? " up" : " down"));
      explored = explored.with(tunable.name(), changed);
    }
    return explored;
  }

  private double perturbed(Tunable tunable, double value, boolean isUp) {
    double factor = isUp ? options.perturbation() : 2 - options.perturbation();
    return switch (tunable) {
      case Tunable.LogRange range -> Math.clamp(value * factor, range.min(), range.max());
      case Tunable.LinearRange range -> Math.clamp(value * factor, range.min(), range.max());
      case Tunable.Choice choice -> {
        int index = choice.values().indexOf(value) + (isUp ? 1 : -1);
        yield choice.values().get(Math.clamp(index, 0, choice.values().size() - 1));
      }
    };
  }
}
