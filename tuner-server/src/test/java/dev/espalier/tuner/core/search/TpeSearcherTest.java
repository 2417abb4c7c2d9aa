package dev.espalier.tuner.core.search;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class TpeSearcherTest extends SearcherContract {
  @Override
  String name() {
    return "tpe";
  }

  @Test
  void theFirstDrawsAreThoseOfRandomSearch() {
    assertThat(run(open(SPACE, 9), TpeSearcher.START_UP_DRAWS))
        .isEqualTo(run(new RandomSearcher(SPACE, 9), TpeSearcher.START_UP_DRAWS));
  }

  @Test
  void oldObservationsAreForgottenLinearly() {
    double[] ages = TpeSearcher.ages(27);

    assertThat(ages[0]).isEqualTo(1.0 / 27);
    assertThat(ages[1]).isEqualTo(1);
    assertThat(List.of(ages[2], ages[26])).containsOnly(1.0);
    assertThat(TpeSearcher.ages(3)).containsExactly(1, 1, 1);
  }

  @Test
  void aBetterMeasurementOfAnOldTrialChangesTheProposal() {
    List<Observation> seen = run(open(SPACE, 4), 25);
    var corrected = new java.util.ArrayList<>(seen);
    corrected.set(0, new Observation(seen.get(0).setting(), 100, seen.get(0).verdict()));

    assertThat(open(SPACE, 4).propose(corrected, 25))
        .isNotEqualTo(open(SPACE, 4).propose(seen, 25));
  }
}
