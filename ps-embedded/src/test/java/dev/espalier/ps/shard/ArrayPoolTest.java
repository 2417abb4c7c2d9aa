package dev.espalier.ps.shard;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class ArrayPoolTest {
  private static final int LENGTH = 5000;

  private final ArrayPool pool = new ArrayPool();

  @Test
  void anArrayGoesRoundAndIsNeverHandedOutTwice() {
    float[] array = pool.take(LENGTH);
    assertThat(array).hasSize(LENGTH);
    pool.giveBack(array);
    pool.giveBack(array);
    assertThat(pool.take(LENGTH)).isSameAs(array);
    assertThat(pool.take(LENGTH)).isNotSameAs(array).hasSize(LENGTH);
  }

  @Test
  void lengthsAreNotMixed() {
    pool.giveBack(new float[LENGTH]);
    assertThat(pool.take(LENGTH + 1)).hasSize(LENGTH + 1);
    assertThat(pool.take(LENGTH - 1)).hasSize(LENGTH - 1);
  }

  @Test
  void arraysThatNobodyTakesMakeRoom() {
    for (int i = 0; i < 16; i++) {
      pool.giveBack(new float[(4 << 20) + i]);
    }
    float[] last = new float[LENGTH];
    pool.giveBack(last);
    assertThat(pool.take(LENGTH)).isSameAs(last);
  }
}
