package dev.espalier.tuner.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class JobClockTest {
  private static final long SECOND = 1_000_000_000;

  private final AtomicLong nanos = new AtomicLong(5 * SECOND);
  private final JobClock clock = new JobClock(false, nanos::get);

  private void pass(long seconds) {
    nanos.addAndGet(seconds * SECOND);
  }

  @Test
  void waitingForItsTurnCostsAJobNothing() {
    pass(100);

    assertThat(clock.now()).isZero();
    clock.run(true);
    pass(2);
    assertThat(clock.now()).isEqualTo(2);
  }

  @Test
  void aPauseCostsNothing() {
    clock.run(true);
    pass(2);
    clock.run(false);
    pass(3600);
    clock.run(true);
    pass(1);

    assertThat(clock.now()).isEqualTo(3);
  }

  @Test
  void goesOnFromTheLog() {
    clock.restore(40);
    pass(7);
    clock.run(true);
    pass(2);

    assertThat(clock.now()).isEqualTo(42);
  }
}
