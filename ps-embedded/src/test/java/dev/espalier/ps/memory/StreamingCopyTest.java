package dev.espalier.ps.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StreamingCopyTest {
  private static final int BYTES = 4096;

  @Test
  void copiesAnyBytesFromAnArrayAndFromOffHeapAndNoOthers() {
    Optional<StreamingCopy> copy = StreamingCopy.ofThisMachine();
    assumeTrue(copy.isPresent(), "this machine has no such copy");
    var random = new Random(7);
    byte[] values = new byte[BYTES];
    random.nextBytes(values);
    MemorySegment array = MemorySegment.ofArray(values);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment offHeap = arena.allocate(BYTES, 64).copyFrom(array);
      MemorySegment to = arena.allocate(BYTES, 64);
      for (int i = 0; i < 2000; i++) {
        int from = random.nextInt(BYTES);
        int at = random.nextInt(BYTES);
        int count = random.nextInt(Math.min(BYTES - from, BYTES - at) + 1);
        to.fill((byte) 0);

        copy.get().copy(i % 2 == 0 ? array : offHeap, from, to, at, count);

        byte[] expected = new byte[BYTES];
        System.arraycopy(values, from, expected, at, count);
        assertThat(to.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);
      }
    }
  }
}
