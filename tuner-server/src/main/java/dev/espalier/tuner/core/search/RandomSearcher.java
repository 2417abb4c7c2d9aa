package dev.espalier.tuner.core.search;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/// Draws settings uniformly from the unit cube; it never ends.
final class RandomSearcher implements Searcher {
  private final SearchSpace space;
  private final long seed;

  RandomSearcher(SearchSpace space, long seed) {
    this.space = space;
    this.seed = seed;
  }

  @Override
  public Optional<Setting> propose(List<Observation> observations, long draw) {
    SplittableRandom random = Seeds.stream(seed, draw);
    double[] unit = new double[space.dimensions()];
    for (int i = 0; i < unit.length; i++) {
      unit[i] = random.nextDouble();
    }
    return Optional.of(space.fromUnit(unit));
  }
}
