package dev.espalier.tuner.core.policy.board;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.Setting;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class WorkloadTest {
  private final Workload workload = new Workload(2, 1000, 64, 50);

  @Test
  void anEpochIsRoundedUpToWholeClocks() {
    // 1000 / (2 x 64) = 7.8 and 1000 / (2 x 100) = 5.
    assertThat(workload.clocksPerEpoch(Setting.EMPTY)).isEqualTo(8);
    assertThat(workload.clocksPerEpoch(batch(100))).isEqualTo(5);
  }

  @Test
  void aBatchLargerThanTheDataIsNamedWithItsBound() {
    assertThat(workload.problemOf(List.of(batch(500)))).isEmpty();
    assertThat(workload.problemOf(List.of(batch(10), batch(501))))
        .contains(
            "batchSize 501 at 2 workers is 1002 samples a clock, but must be <= 1000, the number of"
                + " training samples");
  }

  private static Setting batch(double size) {
    return Setting.of(Map.of("batchSize", size));
  }
}
