package dev.espalier.tuner.rest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class RateLimitsTest {
  @Test
  void burstIsAllowedAndThenEachCallerWaits() {
    var limits = new RateLimits(3, 1, Duration.ofMinutes(1));

    for (int i = 0; i < 3; i++) {
      assertThat(limits.secondsToWait("a")).isZero();
    }
    assertThat(limits.secondsToWait("a")).isBetween(50, 60);
    assertThat(limits.isExhausted("a")).isTrue();
    assertThat(limits.isExhausted("b")).isFalse();
    assertThat(limits.secondsToWait("b")).isZero();
  }
}
