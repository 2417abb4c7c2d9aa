package dev.espalier.ps.clock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.fault.PsException;
import org.junit.jupiter.api.Test;

final class SspClockTest {

  @Test
  void bulkSynchronousReadsWaitForEveryOtherWorker() {
    SspClock clock = new SspClock(3);
    Staleness none = Staleness.bulkSynchronous();
    assertThat(clock.mayRead(0, 0, none)).isTrue();
    clock.tick(0, 0);
    assertThat(clock.mayRead(0, 1, none)).isFalse();
    assertThat(clock.laggards(0, 1, none)).containsExactly(1, 2);
    clock.tick(1, 0);
    assertThat(clock.laggards(0, 1, none)).containsExactly(2);
    clock.tick(2, 0);
    assertThat(clock.mayRead(0, 1, none)).isTrue();
    assertThat(clock.isLevel()).isTrue();
  }

  @Test
  void aReaderMayBeAheadByTheStaleness() {
    SspClock clock = new SspClock(2);
    Staleness two = new Staleness(2);
    for (int i = 0; i < 3; i++) {
      assertThat(clock.mayRead(0, i, two)).isTrue();
      clock.tick(0, i);
    }
    assertThat(clock.mayRead(0, 3, two)).isFalse();
    clock.tick(1, 0);
    assertThat(clock.mayRead(0, 3, two)).isTrue();
    assertThat(clock.completedByAll()).isEqualTo(1);
    assertThat(clock).hasToString("[3, 1]");
  }

  @Test
  void repeatsAreRecognisedAndGapsRefused() {
    SspClock clock = new SspClock(1);
    assertThat(clock.tick(0, 0)).isTrue();
    assertThat(clock.tick(0, 0)).isFalse();
    assertThatThrownBy(() -> clock.tick(0, 2))
        .isInstanceOf(PsException.class)
        .hasMessage("worker 0 ticks clock 2, but clock 1 is its next");
  }
}
