package dev.espalier.tuner.core.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class GaussianProcessSearcherTest extends SearcherContract {
  @Override
  String name() {
    return "gp";
  }

  @Test
  void theFirstDrawsAreThoseOfASobolSequence() {
    int draws = new GaussianProcessSearcher(SPACE, 9).startUpDraws();

    assertThat(run(open(SPACE, 9), draws)).isEqualTo(run(new SobolSearcher(SPACE, 9), draws));
    assertThat(run(open(SPACE, 9), draws + 1))
        .isNotEqualTo(run(new SobolSearcher(SPACE, 9), draws + 1));
  }

  @Test
  void aBetterMeasurementOfAnOldTrialChangesTheProposal() {
    List<Observation> seen = run(open(SPACE, 4), 12);
    var corrected = new ArrayList<>(seen);
    corrected.set(0, new Observation(seen.get(0).setting(), 3, seen.get(0).verdict()));

    assertThat(open(SPACE, 4).propose(corrected, 12))
        .isNotEqualTo(open(SPACE, 4).propose(seen, 12));
  }

  @Test
  void theUnitOfTheScoreDoesNotMatter() {
    List<Observation> seen = run(open(SPACE, 4), 12);
    List<Observation> inOtherUnits =
        seen.stream()
            .map(one -> new Observation(one.setting(), 1024 * one.score() - 64, one.verdict()))
            .toList();
    Setting one = open(SPACE, 4).propose(seen, 12).orElseThrow();
    Setting other = open(SPACE, 4).propose(inOtherUnits, 12).orElseThrow();

    one.values()
        .forEach((name, value) ->
            assertThat(other.value(name))
                .as(name)
                .isCloseTo(value, within(1e-6 * Math.abs(value))));
  }

  @Test
  void whereSettingsDivergeLittleMoreIsTried() {
    var space = new SearchSpace(List.of(new Tunable.LinearRange("x", 0, 1, 0.5)));
    Searcher searcher = open(space, 5);
    var seen = new ArrayList<Observation>();
    for (int draw = 0; draw < 24; draw++) {
      Setting setting = searcher.propose(seen, draw).orElseThrow();
      double x = setting.value("x");
      seen.add(
          x > 0.5
              ? new Observation(setting, 0, Verdict.DIVERGED)
              : new Observation(setting, x, Verdict.CONVERGING));
    }

    assertThat(seen.subList(8, 24).stream().filter(one -> one.setting().value("x") > 0.6))
        .hasSizeLessThanOrEqualTo(3);
    assertThat(seen.stream().mapToDouble(Observation::score).max().orElseThrow())
        .isGreaterThan(0.47);
  }

  @Test
  void aLongSearchKeepsTheBestAndTheNewest() {
    var seen = new ArrayList<Observation>();
    Searcher random = new RandomSearcher(SPACE, 1);
    for (int draw = 0; draw < GaussianProcessSearcher.MAX_OBSERVATIONS + 20; draw++) {
      seen.add(
          new Observation(
              random.propose(seen, draw).orElseThrow(), draw == 3 ? 9 : 1, Verdict.CONVERGING));
    }

    assertThat(open(SPACE, 1).propose(seen, seen.size())).isPresent();
  }

  @Test
  void scoresAreStandardisedAndDisastersCutOff() {
    List<Observation> seen =
        List.of(
            new Observation(Setting.EMPTY, 1, Verdict.CONVERGING),
            new Observation(Setting.EMPTY, 2, Verdict.CONVERGING),
            new Observation(Setting.EMPTY, 3, Verdict.CONVERGING),
            new Observation(Setting.EMPTY, -1e9, Verdict.UNSTABLE),
            new Observation(Setting.EMPTY, 77, Verdict.DIVERGED));
    double[] values = GaussianProcessSearcher.standardised(seen);

    // The median of -1e9, -1e9, 1, 2, 3 is 1, the best 3: what is below 1 - 2 x 2 = -3 becomes -3.
    double scale = (values[2] - values[0]) / 2;
    assertThat(values[0] - values[3]).isCloseTo(4 * scale, within(1e-12));
    assertThat(values[4]).isEqualTo(values[3]);
    assertThat(Arrays.stream(values).sum()).isCloseTo(0, within(1e-12));
    assertThat(Arrays.stream(values).map(value -> value * value).sum()).isCloseTo(5, within(1e-12));
  }

  @Test
  void expectedImprovementIsThatOfTheNormalDistribution() {
    // At the best mean: s phi(0). One deviation above: s (Phi(1) + phi(1)). Known for sure: the
    // gain.
    assertThat(improvement(0, 2, 0)).isCloseTo(2 * 0.3989422804, within(1e-9));
    assertThat(improvement(1, 1, 0)).isCloseTo(0.8413447461 + 0.2419707245, within(1e-9));
    assertThat(improvement(3, 0, 1)).isEqualTo(2);
    assertThat(improvement(0, 0, 1)).isZero();
  }

  private static double improvement(double mean, double deviation, double best) {
    return GaussianProcessSearcher.expectedImprovement(
        new GaussianProcess.Belief(mean, deviation), best);
  }
}
