package dev.espalier.tuner.core.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What every searcher promises.
abstract class SearcherContract {
  static final SearchSpace SPACE =
      new SearchSpace(
          List.of(
              new Tunable.LogRange("learningRate", 1e-5, 1, 0.01),
              new Tunable.LinearRange("momentum", 0, 0.99, 0.9),
              new Tunable.Choice("batchSize", List.of(4.0, 16.0, 64.0), 16),
              new Tunable.Choice("staleness", List.of(0.0), 0)));

  abstract String name();

  final Searcher open(SearchSpace space, long seed) {
    return Searchers.of(name(), space, seed, 3);
  }

  @Test
  final void proposalsLieInTheSpace() {
    for (long seed = 0; seed < 5; seed++) {
      for (Observation observation : run(open(SPACE, seed), 40)) {
        assertThat(SPACE.problemsOf(observation.setting())).as("seed %d", seed).isEmpty();
      }
    }
  }

  @Test
  final void theSameArgumentsGiveTheSameAnswer() {
    List<Observation> seen = run(open(SPACE, 7), 26);
    Searcher fresh = open(SPACE, 7);

    for (int draw = seen.size() - 1; draw >= 0; draw--) {
      assertThat(fresh.propose(seen.subList(0, draw), draw)).contains(seen.get(draw).setting());
    }
  }

  @Test
  final void seedsDiffer() {
    assertThat(run(open(SPACE, 1), 10)).isNotEqualTo(run(open(SPACE, 2), 10));
  }

  @Test
  final void equalSpeedsAndFailuresAreNoProblem() {
    var seen = new ArrayList<Observation>();
    Searcher searcher = open(SPACE, 3);
    for (int draw = 0; draw < 18; draw++) {
      Setting setting = searcher.propose(seen, draw).orElseThrow();
      seen.add(new Observation(setting, 0, Verdict.DIVERGED));
    }
    assertThat(seen).allMatch(observation -> SPACE.problemsOf(observation.setting()).isEmpty());
  }

  @Test
  final void aSpaceWithoutTunablesHasNothingToTry() {
    assertThat(open(new SearchSpace(List.of()), 1).propose(List.of(), 0)).isEmpty();
  }

  /// Speeds fall with the distance to learning rate 0.1, momentum 0.5, batch size 16.
  static List<Observation> run(Searcher searcher, int draws) {
    var seen = new ArrayList<Observation>();
    for (int draw = 0; draw < draws; draw++) {
      Optional<Setting> setting = searcher.propose(seen, draw);
      if (setting.isEmpty()) {
        return seen;
      }
      seen.add(new Observation(setting.get(), speed(setting.get()), Verdict.CONVERGING));
    }
    return seen;
  }

  private static double speed(Setting setting) {
    double distance =
        Math.abs(Math.log10(setting.value("learningRate")) + 1)
            + Math.abs(setting.value("momentum") - 0.5)
            + (setting.value("batchSize") == 16 ? 0 : 1);
    return 1 / (1 + distance);
  }
}
