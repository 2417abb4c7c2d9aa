package dev.espalier.tuner.core.population;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.tuner.core.search.Searcher;
import dev.espalier.tuner.core.search.Searchers;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.List;

/// Opens planners by name.
public final class Planners {
  /// The names that `of` knows.
  public static final List<String> NAMES =
      List.of("random", "grid", "bayes", "hyperband", "asha", "pbt");

  private Planners() {}

  /// Opens a planner.
  ///
  /// @param policy one of `NAMES`
  /// @param seed of all its draws
  /// @throws IllegalArgumentException when there is no planner of that name
  public static Planner of(String policy, SearchSpace space, JobPlan.Runs options, long seed) {
    return switch (policy) {
      case "random", "grid" ->
          new CompletionPlanner(policy, searcher(policy, space, options, seed), options);
      case "bayes" -> new CompletionPlanner(policy, searcher("gp", space, options, seed), options);
      case "hyperband" -> new HyperbandPlanner(searcher("random", space, options, seed), options);
      case "asha" -> new AshaPlanner(searcher("random", space, options, seed), options);
      case "pbt" -> new PbtPlanner(space, searcher("random", space, options, seed), options, seed);
      default ->
          throw new IllegalArgumentException(
              "policy must be one of " + NAMES + " but is " + policy);
    };
  }

  private static Searcher searcher(
      String name, SearchSpace space, JobPlan.Runs options, long seed) {
    Searcher drawn = Searchers.of(name, space, seed, options.gridPoints());
    return options.defaultFirst() && space.dimensions() > 0
        ? Searchers.withFirst(space.defaults(), drawn)
        : drawn;
  }
}
