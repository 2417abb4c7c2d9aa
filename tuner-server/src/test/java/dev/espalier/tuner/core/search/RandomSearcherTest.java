package dev.espalier.tuner.core.search;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class RandomSearcherTest extends SearcherContract {
  @Override
  String name() {
    return "random";
  }

  @Test
  void drawsFillAllOfTheSpace() {
    List<Observation> seen = run(open(SPACE, 11), 400);

    assertThat(seen).anyMatch(o -> o.setting().value("learningRate") < 1e-4);
    assertThat(seen).anyMatch(o -> o.setting().value("learningRate") > 0.1);
    for (double size : new double[] {4, 16, 64}) {
      assertThat(seen.stream().filter(o -> o.setting().value("batchSize") == size).count())
          .isBetween(90L, 180L);
    }
  }
}
