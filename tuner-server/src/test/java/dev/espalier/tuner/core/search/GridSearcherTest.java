package dev.espalier.tuner.core.search;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class GridSearcherTest extends SearcherContract {
  @Override
  String name() {
    return "grid";
  }

  @Test
  void everyCombinationComesOnceAndThenNothing() {
    List<Observation> seen = run(open(SPACE, 5), 1000);

    // 3 learning rates x 3 momenta x 3 batch sizes x 1 staleness.
    assertThat(seen).hasSize(27);
    assertThat(seen.stream().map(Observation::setting).distinct()).hasSize(27);
    assertThat(seen.stream().map(o -> o.setting().value("learningRate")).distinct())
        .contains(1e-5, 1.0)
        .hasSize(3);
  }
}
