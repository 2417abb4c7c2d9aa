package dev.espalier.tuner.core.search;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/*
 * The tree-structured Parzen estimator (Bergstra, Bardenet, Bengio, Kegl 2011, section 4). Settings
 * seen so far are split into a few good ones and the rest; l(x) is a density fitted to the good, g(x)
 * to the rest. Expected improvement grows with l(x) / g(x), so each tunable takes, of 24 draws from
 * l, the one where that ratio is highest. Constants are hyperopt's defaults; the good ones are
 * ceil(gamma sqrt(n)), at most 25.
 */

/// Proposes settings where fast ones are dense and slow ones are not; it never ends.
final class TpeSearcher implements Searcher {
  static final int START_UP_DRAWS = 20;
  static final int CANDIDATES = 24;
  static final double GAMMA = 0.25;
  static final double PRIOR_WEIGHT = 1;
  static final int LINEAR_FORGETTING = 25;

  private final SearchSpace space;
  private final long seed;
  private final RandomSearcher startUp;

  TpeSearcher(SearchSpace space, long seed) {
    this.space = space;
    this.seed = seed;
    this.startUp = new RandomSearcher(space, seed);
  }

  @Override
  public Optional<Setting> propose(List<Observation> observations, long draw) {
    if (observations.size() < START_UP_DRAWS) {
      return startUp.propose(observations, draw);
    }
    Split split = Split.of(observations);
    SplittableRandom random = Seeds.stream(Seeds.mix(seed), draw);
    var values = new TreeMap<String, Double>();
    for (Tunable tunable : space.tunables()) {
      values.put(tunable.name(), value(tunable, split, random.split()));
    }
    return Optional.of(new Setting(values));
  }

  private static double value(Tunable tunable, Split split, SplittableRandom random) {
    return switch (tunable) {
      case Tunable.Choice choice -> choice.values().get(cell(choice, split, random));
      case Tunable.LogRange range -> range.fromUnit(coordinate(range, split, random));
      case Tunable.LinearRange range -> range.fromUnit(coordinate(range, split, random));
    };
  }

  private static double coordinate(Tunable range, Split split, SplittableRandom random) {
    ParzenDensity good = density(range, split.good());
    ParzenDensity rest = density(range, split.rest());
    return best(
        IntStream.range(0, CANDIDATES).mapToObj(_ -> good.sample(random)).toList(),
        x -> good.logDensity(x) - rest.logDensity(x));
  }

  private static int cell(Tunable.Choice choice, Split split, SplittableRandom random) {
    CellDensity good = cells(choice, split.good());
    CellDensity rest = cells(choice, split.rest());
    return best(
        IntStream.range(0, CANDIDATES).mapToObj(_ -> good.sample(random)).toList(),
        cell -> good.logDensity(cell) - rest.logDensity(cell));
  }

  private static <T> T best(List<T> candidates, ToDoubleFunction<T> score) {
    return candidates.stream().max(Comparator.comparingDouble(score)).orElseThrow();
  }

  private static ParzenDensity density(Tunable tunable, List<Setting> settings) {
    List<Double> units =
        settings.stream().map(setting -> tunable.toUnit(setting.value(tunable.name()))).toList();
    return ParzenDensity.of(units, ages(units.size()), PRIOR_WEIGHT);
  }

  private static CellDensity cells(Tunable.Choice choice, List<Setting> settings) {
    List<Integer> cells =
        settings.stream()
            .map(setting -> choice.values().indexOf(setting.value(choice.name())))
            .toList();
    return CellDensity.of(choice.values().size(), cells, ages(cells.size()), PRIOR_WEIGHT);
  }

  /// The newest 25 count fully; older ones less, down to 1 / n for the oldest.
  static double[] ages(int count) {
    double[] ages = new double[count];
    Arrays.fill(ages, 1);
    int old = count - LINEAR_FORGETTING;
    for (int i = 0; i < old; i++) {
      double step = old == 1 ? 0 : i / (old - 1.0);
      ages[i] = 1.0 / count + step * (1 - 1.0 / count);
    }
    return ages;
  }

  /// Settings, oldest first, by whether they are among the fastest.
  private record Split(List<Setting> good, List<Setting> rest) {
    static Split of(List<Observation> observations) {
      int goodCount =
          Math.min((int) Math.ceil(GAMMA * Math.sqrt(observations.size())), LINEAR_FORGETTING);
      List<Integer> fastestFirst =
          IntStream.range(0, observations.size())
              .boxed()
              .sorted(Comparator.comparingDouble(i -> -observations.get(i).score()))
              .toList();
      List<Integer> fastest = fastestFirst.subList(0, goodCount);
      var good = new ArrayList<Setting>();
      var rest = new ArrayList<Setting>();
      for (int i = 0; i < observations.size(); i++) {
        (fastest.contains(i) ? good : rest).add(observations.get(i).setting());
      }
      return new Split(good, rest);
    }
  }
}
