package dev.espalier.api.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.SnapshotState;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class JobResultTest {
  private static final JobView.Result RESULT = new JobView.Result(2, 7, 100, 1, 0.25);

  @Test
  void snapshotOfTheResultIsThatOfItsBranch() {
    SnapshotView own = snapshot(4, 7, 2, SnapshotState.READY);
    SnapshotView sameClockOnAnotherWay = snapshot(5, 9, 2, SnapshotState.READY);
    SnapshotView sameClockOfAnotherStart = snapshot(6, 7, 1, SnapshotState.READY);

    assertThat(RESULT.snapshotAmong(List.of(own, sameClockOnAnotherWay, sameClockOfAnotherStart)))
        .hasValue(4);
    assertThat(RESULT.snapshotAmong(List.of(sameClockOnAnotherWay))).isEmpty();
    assertThat(RESULT.snapshotAmong(List.of(snapshot(4, 7, 2, SnapshotState.DROPPED)))).isEmpty();
  }

  private static SnapshotView snapshot(long number, int branch, int start, SnapshotState state) {
    return new SnapshotView(
        number, branch, start, 100, 1, Map.of(), state, 10, false, Instant.EPOCH);
  }
}
