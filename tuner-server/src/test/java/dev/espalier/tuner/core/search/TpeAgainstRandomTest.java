package dev.espalier.tuner.core.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

final class TpeAgainstRandomTest {
  private static final int DRAWS = 80;
  private static final int SEEDS = 31;

  @Test
  void tpeComesCloserToTheMinimumOfBranin() {
    var space =
        new SearchSpace(
            List.of(
                new Tunable.LinearRange("x", -5, 10, 0), new Tunable.LinearRange("y", 0, 15, 0)));

    assertThat(medianBest("tpe", space, TpeAgainstRandomTest::branin))
        .isLessThan(0.75 * medianBest("random", space, TpeAgainstRandomTest::branin));
  }

  @Test
  void tpeComesCloserOnAMixOfAxes() {
    var space =
        new SearchSpace(
            List.of(
                new Tunable.LogRange("learningRate", 1e-5, 1, 0.01),
                new Tunable.LinearRange("momentum", 0, 1, 0.5),
                new Tunable.Choice("batchSize", List.of(2.0, 4.0, 8.0, 16.0, 32.0), 8),
                new Tunable.Choice("staleness", List.of(0.0, 1.0, 3.0, 7.0), 0)));

    assertThat(medianBest("tpe", space, TpeAgainstRandomTest::mixed))
        .isLessThan(0.75 * medianBest("random", space, TpeAgainstRandomTest::mixed));
  }

  /// Median over seeds of the lowest excess over the minimum.
  private static double medianBest(
      String searcher, SearchSpace space, ToDoubleFunction<Setting> excess) {
    return LongStream.range(0, SEEDS)
        .mapToDouble(seed -> best(Searchers.of(searcher, space, seed, 11), excess))
        .sorted()
        .toArray()[SEEDS / 2];
  }

  private static double best(Searcher searcher, ToDoubleFunction<Setting> excess) {
    var seen = new ArrayList<Observation>();
    double best = Double.POSITIVE_INFINITY;
    for (int draw = 0; draw < DRAWS; draw++) {
      Setting setting = searcher.propose(seen, draw).orElseThrow();
      double value = excess.applyAsDouble(setting);
      best = Math.min(best, value);
      seen.add(new Observation(setting, 1 / (1 + value), Verdict.CONVERGING));
    }
    return best;
  }

  private static double branin(Setting setting) {
    double x = setting.value("x");
    double y = setting.value("y");
    double square = y - 5.1 / (4 * Math.PI * Math.PI) * x * x + 5 / Math.PI * x - 6;
    double minimum = 0.397887;
    return square * square + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10 - minimum;
  }

  private static double mixed(Setting setting) {
    double rate = Math.log10(setting.value("learningRate")) + 2.3;
    double momentum = setting.value("momentum") - 0.8;
    double batch = setting.value("batchSize") == 16 ? 0 : 0.5;
    return rate * rate + 4 * momentum * momentum + batch + 0.1 * setting.value("staleness");
  }
}
