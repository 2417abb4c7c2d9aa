package dev.espalier.tuner.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class WorkerLeasesTest {
  private static final WorkerLeases.Times TIMES =
      new WorkerLeases.Times(Duration.ofSeconds(60), Duration.ofSeconds(10), Duration.ZERO);

  private static final long SECOND = 1_000_000_000L;
  private final WorkerLeases leases = new WorkerLeases(2, TIMES, 0);

  @Test
  void nobodyIsLostWhileAllMayStillCome() {
    assertThat(leases.lost(60 * SECOND)).isEmpty();
  }

  @Test
  void workerThatNeverCameIsLostAfterItsStart() {
    leases.attach(0, SECOND);

    assertThat(leases.lost(61 * SECOND))
        .hasValueSatisfying(r -> assertThat(r).contains("worker 1"));
  }

  @Test
  void brokenLinkIsForgivenWithinTheLease() {
    leases.attach(0, 0);
    leases.attach(1, 0);
    leases.detach(1, 100 * SECOND);

    assertThat(leases.lost(109 * SECOND)).isEmpty();
    assertThat(leases.lost(111 * SECOND)).isPresent();
    leases.attach(1, 112 * SECOND);
    assertThat(leases.lost(500 * SECOND)).isEmpty();
  }

  @Test
  void workersThatComeByThemselvesHaveALeaseOnceAllHaveBeenThere() {
    var awaited = WorkerLeases.awaiting(2, TIMES);
    awaited.attach(0, 0);
    awaited.detach(0, SECOND);
    assertThat(awaited.lost(100_000 * SECOND)).isEmpty();
    awaited.attach(1, 200_000 * SECOND);
    assertThat(awaited.lost(300_000 * SECOND)).isEmpty();
    awaited.attach(0, 300_000 * SECOND);

    awaited.detach(1, 300_001 * SECOND);

    assertThat(awaited.lost(300_010 * SECOND)).isEmpty();
    assertThat(awaited.lost(300_012 * SECOND))
        .hasValueSatisfying(r -> assertThat(r).contains("worker 1"));
  }

  @Test
  void workerThatEndedIsLostAtOnce() {
    leases.attach(0, 0);
    leases.attach(1, 0);
    leases.exit(1, OptionalInt.of(137));

    assertThat(leases.lost(0)).contains("worker 1 ended with status 137");
  }

  @Test
  void workerWhoseStatusNobodyKnowsIsGone() {
    leases.exit(0, OptionalInt.empty());

    assertThat(leases.lost(0)).contains("worker 0 is gone");
  }
}
