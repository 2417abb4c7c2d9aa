package dev.espalier.tuner.core.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Searchers that learn, against random search with the same number of draws and the same seeds.
///
/// Judged by the median over seeds of the excess over the minimum of the setting that looked best.
final class SearchersAgainstRandomTest {
  private static final SearchSpace PLANE =
      new SearchSpace(
          List.of(new Tunable.LinearRange("x", -5, 10, 0), new Tunable.LinearRange("y", 0, 15, 0)));

  private static final SearchSpace CUBE =
      new SearchSpace(
          IntStream.range(0, 6)
              .mapToObj(i -> (Tunable) new Tunable.LinearRange("x" + i, 0, 1, 0.5))
              .toList());

  private static final SearchSpace MIX =
      new SearchSpace(
          List.of(
              new Tunable.LogRange("learningRate", 1e-5, 1, 0.01),
              new Tunable.LinearRange("momentum", 0, 1, 0.5),
              new Tunable.Choice("batchSize", List.of(2.0, 4.0, 8.0, 16.0, 32.0), 8),
              new Tunable.Choice("staleness", List.of(0.0, 1.0, 3.0, 7.0), 0)));

  @ParameterizedTest
  @CsvSource({"tpe, 31, 80, 0.75", "gp, 9, 30, 0.2"})
  void theMinimumOfBraninIsFound(String searcher, int seeds, int draws, double ratio) {
    assertBetter(searcher, seeds, PLANE, draws, 0, ratio, SearchersAgainstRandomTest::branin);
  }

  @ParameterizedTest
  @CsvSource({"tpe, 31, 80, 0.9", "gp, 9, 40, 0.6"})
  void theMinimumOfHartmannInSixDimensionsIsFound(
      String searcher, int seeds, int draws, double ratio) {
    assertBetter(searcher, seeds, CUBE, draws, 0, ratio, SearchersAgainstRandomTest::hartmann6);
  }

  @ParameterizedTest
  @CsvSource({"tpe, 31, 80, 0.75", "gp, 9, 30, 0.3"})
  void aMixOfAxesIsSearched(String searcher, int seeds, int draws, double ratio) {
    assertBetter(searcher, seeds, MIX, draws, 0, ratio, SearchersAgainstRandomTest::mixed);
  }

  @ParameterizedTest
  @CsvSource({"tpe, 31, 80, 0.9", "gp, 9, 40, 0.6"})
  void noiseOnAMixOfAxesDoesNotMislead(String searcher, int seeds, int draws, double ratio) {
    assertBetter(searcher, seeds, MIX, draws, 0.2, ratio, SearchersAgainstRandomTest::mixed);
  }

  /// The density of `tpe` is too wide to gain on noise of this size in 80 draws; `gp` averages it.
  @Test
  void noiseOnBraninDoesNotMisleadTheGaussianProcess() {
    assertBetter("gp", 9, PLANE, 40, 1, 0.6, SearchersAgainstRandomTest::branin);
  }

  private static void assertBetter(
      String searcher,
      int seeds,
      SearchSpace space,
      int draws,
      double noise,
      double ratio,
      ToDoubleFunction<Setting> excess) {
    double ours = medianBest(searcher, seeds, space, draws, noise, excess);
    double random = medianBest("random", seeds, space, draws, noise, excess);

    assertThat(ours / random).as("%s against %s of random search", ours, random).isLessThan(ratio);
  }

  private static double medianBest(
      String searcher,
      int seeds,
      SearchSpace space,
      int draws,
      double noise,
      ToDoubleFunction<Setting> excess) {
    return LongStream.range(0, seeds)
        .parallel()
        .mapToDouble(
            seed -> best(Searchers.of(searcher, space, seed, 11), draws, noise, seed, excess))
        .sorted()
        .toArray()[seeds / 2];
  }

  private static double best(
      Searcher searcher, int draws, double noise, long seed, ToDoubleFunction<Setting> excess) {
    var random = new SplittableRandom(seed);
    var seen = new ArrayList<Observation>();
    double bestSeen = Double.POSITIVE_INFINITY;
    double best = Double.POSITIVE_INFINITY;
    for (int draw = 0; draw < draws; draw++) {
      Setting setting = searcher.propose(seen, draw).orElseThrow();
      double value = excess.applyAsDouble(setting);
      double measured = value + noise * random.nextGaussian();
      if (measured < bestSeen) {
        bestSeen = measured;
        best = value;
      }
      seen.add(new Observation(setting, -measured, Verdict.CONVERGING));
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

  private static final double[] WEIGHTS = {1.0, 1.2, 3.0, 3.2};
  private static final double[][] STEEPNESS = {
    {10, 3, 17, 3.5, 1.7, 8},
    {0.05, 10, 17, 0.1, 8, 14},
    {3, 3.5, 1.7, 10, 17, 8},
    {17, 8, 0.05, 10, 0.1, 14}
  };
  private static final double[][] CENTRES = {
    {0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
    {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
    {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
    {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}
  };

  private static double hartmann6(Setting setting) {
    double minimum = -3.32237;
    double value = 0;
    for (int i = 0; i < WEIGHTS.length; i++) {
      double inner = 0;
      for (int d = 0; d < 6; d++) {
        double distance = setting.value("x" + d) - CENTRES[i][d];
        inner += STEEPNESS[i][d] * distance * distance;
      }
      value -= WEIGHTS[i] * Math.exp(-inner);
    }
    return value - minimum;
  }

  private static double mixed(Setting setting) {
    double rate = Math.log10(setting.value("learningRate")) + 2.3;
    double momentum = setting.value("momentum") - 0.8;
    double batch = setting.value("batchSize") == 16 ? 0 : 0.5;
    return rate * rate + 4 * momentum * momentum + batch + 0.1 * setting.value("staleness");
  }
}
