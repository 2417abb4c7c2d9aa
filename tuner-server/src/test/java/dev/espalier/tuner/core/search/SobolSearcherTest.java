package dev.espalier.tuner.core.search;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class SobolSearcherTest extends SearcherContract {
  @Override
  String name() {
    return "sobol";
  }

  @Test
  void everyEighthOfAnAxisIsHitOnceInEightDraws() {
    for (long seed = 0; seed < 10; seed++) {
      List<Observation> seen = run(open(SPACE, seed), 8);
      assertThat(
              seen.stream().map(o -> (int) Math.floor(8 * SPACE.toUnit(o.setting())[0])).distinct())
          .as("seed %d", seed)
          .hasSize(8);
    }
  }
}
