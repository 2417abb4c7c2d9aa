package dev.espalier.tuner.core.policy.racing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LapLossesTest {
  private final LapLosses losses = new LapLosses(2);

  @Test
  void aLossThatDoublesIsASpike() {
    losses.keep(2);
    losses.keep(0.5);

    assertThat(losses.isSpike(1.1)).isTrue();
    assertThat(losses.isSpike(0.9)).isFalse();
  }

  @Test
  void theFirstLapAndTheFirstOfAnotherPathAreHeldAgainstNothing() {
    assertThat(losses.isSpike(1e9)).isFalse();

    losses.keep(0.5);
    losses.leavePath();

    assertThat(losses.isSpike(1e9)).isFalse();
  }

  @Test
  void aLossOfAlmostNothingMayDouble() {
    losses.keep(2);
    losses.keep(1e-4);

    assertThat(losses.isSpike(3e-4)).isFalse();
    assertThat(losses.isSpike(0.2)).isTrue();
  }

  @Test
  void aNegativeLossThatRisesByMoreThanItsSizeIsASpike() {
    losses.keep(1);
    losses.keep(-2);

    assertThat(losses.isSpike(-1)).isFalse();
    assertThat(losses.isSpike(0.5)).isTrue();
  }

  @Test
  void aSpikeThatWasUndoneDoesNotHideTheNext() {
    losses.keep(2);
    losses.keep(0.5);

    assertThat(losses.isSpike(1e6)).isTrue();
    assertThat(losses.isSpike(100)).isTrue();
  }
}
