package dev.espalier.tuner.core.search;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import java.util.List;
import java.util.Optional;

/// Opens searchers by name.
public final class Searchers {
  /// The names that `of` knows.
  public static final List<String> NAMES = List.of("random", "sobol", "grid", "tpe", "gp");

  private Searchers() {}

  /// Opens a searcher.
  ///
  /// @param name one of `NAMES`
  /// @param space what to search; in a space without tunables every searcher is exhausted at once
  /// @param seed of all randomness in its proposals
  /// @param gridPoints values per continuous axis of `grid`, >= 2
  /// @throws IllegalArgumentException when there is no searcher of that name
  public static Searcher of(String name, SearchSpace space, long seed, int gridPoints) {
    if (!NAMES.contains(name)) {
      throw new IllegalArgumentException("searcher must be one of " + NAMES + " but is " + name);
    }
    if (space.dimensions() == 0) {
      return (_, _) -> Optional.empty();
    }
    return switch (name) {
      case "sobol" -> new SobolSearcher(space, seed);
      case "grid" -> new GridSearcher(space, seed, gridPoints);
      case "tpe" -> new TpeSearcher(space, seed);
      case "gp" -> new GaussianProcessSearcher(space, seed);
      default -> new RandomSearcher(space, seed);
    };
  }

  /// Opens a searcher that proposes the given settings in order, and then nothing.
  public static Searcher ofList(List<Setting> settings) {
    List<Setting> copy = List.copyOf(settings);
    return (_, draw) -> draw < copy.size() ? Optional.of(copy.get((int) draw)) : Optional.empty();
  }

  /// Opens a searcher that proposes one setting before all others, as libraries let users enqueue
  /// what they know to be good.
  public static Searcher withFirst(Setting first, Searcher others) {
    return (observations, draw) ->
        draw == 0 ? Optional.of(first) : others.propose(observations, draw - 1);
  }

  /// {@return a seed for one of several searches of a job}
  public static long seedOf(long seed, long search) {
    return Seeds.mix(Seeds.mix(seed) ^ search);
  }
}
