package dev.espalier.ps.link;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StorePaceTest {
  private static final int STEPS = 10_000;

  /// @return how many of the last steps were made past the caches
  private static int streamed(StorePace pace, long storedNanos, long streamedNanos) {
    int streamed = 0;
    for (int i = 0; i < STEPS; i++) {
      boolean streams = pace.streamsNext();
      pace.took(streams, streams ? streamedNanos : storedNanos);
      streamed += streams ? 1 : 0;
    }
    return streamed;
  }

  @Test
  void storesAsUsualWhereThatIsNotMuchSlower() {
    var pace = new StorePace(true);

    assertThat(streamed(pace, 3_000, 2_000)).isBetween(1, STEPS / 100);
  }

  @Test
  void goesPastTheCachesWhereStoresAreSlowAndComesBack() {
    var pace = new StorePace(true);

    assertThat(streamed(pace, 25_000, 3_000)).isGreaterThan(STEPS * 98 / 100);
    assertThat(streamed(pace, 2_000, 3_000)).isLessThan(STEPS * 10 / 100);
    assertThat(streamed(pace, 25_000, 3_000)).isGreaterThan(STEPS * 95 / 100);
  }

  @Test
  void aLostProcessorDoesNotDecide() {
    var pace = new StorePace(true);
    streamed(pace, 2_500, 2_000);

    pace.took(false, 4_000_000);

    assertThat(streamed(pace, 2_500, 2_000)).isLessThan(STEPS / 10);
  }

  @Test
  void neverStreamsWhereNothingCan() {
    assertThat(streamed(new StorePace(false), 25_000, 3_000)).isZero();
  }
}
