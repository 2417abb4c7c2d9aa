package dev.espalier.ps.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class BufferPoolTest {
  private static final int LARGE = (64 << 20) + 1;

  private final BufferPool pool = new BufferPool();

  @ParameterizedTest
  @ValueSource(ints = {1, 256, 257, 1 << 20})
  void aBufferThatCameBackIsHandedOutAgain(int bytes) {
    ByteBuffer buffer = pool.take(bytes);
    assertThat(buffer.remaining()).isEqualTo(bytes);
    pool.giveBack(buffer);
    assertThat(pool.take(bytes)).isSameAs(buffer);
  }

  /// Also of more than 2^30 bytes, for which there is no power of two.
  @Test
  void aLargeBufferIsAsLargeAsAskedForAndNotKept() {
    ByteBuffer buffer = pool.take(LARGE);
    assertThat(buffer.capacity()).isEqualTo(LARGE);
    pool.giveBack(buffer);
    assertThat(pool.take(LARGE)).isNotSameAs(buffer);
  }
}
