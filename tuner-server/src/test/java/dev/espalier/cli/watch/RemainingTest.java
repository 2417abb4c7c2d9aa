package dev.espalier.cli.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.JobState;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobView;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class RemainingTest {
  private static final StopBounds TEN_EPOCHS = new StopBounds(10, 0);

  @Test
  void theBoundOnEpochsCountsEveryStart() {
    assertThat(Remaining.inWords(job(1.5, 1, 0), TEN_EPOCHS))
        .isEqualTo(", about 12.0 s left at most (epoch 1 of 10)");
    assertThat(Remaining.inWords(job(1.5, 3, 6.75), TEN_EPOCHS))
        .isEqualTo(", about 12.0 s left at most (epoch 8 of 10 over 3 starts)");
  }

  /// Branches ran for 20 seconds of them.
  @Test
  void theBoundOnSecondsIsOnTheJobsLife() {
    assertThat(Remaining.inWords(job(1.5, 1, 0), new StopBounds(0, 37)))
        .isEqualTo(", about 12.0 s left at most (25.0 s of 37.0 s used)");
  }

  private static JobView job(double epoch, int start, double earlierEpochs) {
    return new JobView(
        "job_1",
        "demo",
        "mlp",
        "racing",
        "tpe",
        1,
        JobSpec.Launch.LOCAL,
        1,
        JobState.TRAINING,
        "",
        "",
        "",
        null,
        Instant.EPOCH,
        Instant.EPOCH,
        null,
        Map.of(),
        0,
        0,
        epoch,
        start,
        earlierEpochs,
        null,
        Map.of(),
        0,
        0,
        20,
        0,
        25,
        false,
        0,
        1,
        1,
        1,
        1,
        "token:ci",
        12.0,
        null,
        JobView.Trail.EMPTY);
  }
}
