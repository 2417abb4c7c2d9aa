package dev.espalier.ps.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RowGatherTest {
  private static final int FLOATS = 1 << 16;

  private final Optional<RowGather> gather = RowGather.ofThisMachine();

  @BeforeEach
  void requireOne() {
    assumeTrue(gather.isPresent(), "this machine has no such copy");
  }

  @Test
  void copiesRowsOfAnyLengthAndNothingElse() {
    var random = new Random(5);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment from = arena.allocate(4L * FLOATS, 64);
      float[] values = new float[FLOATS];
      for (int i = 0; i < FLOATS; i++) {
        values[i] = random.nextFloat();
      }
      from.copyFrom(MemorySegment.ofArray(values));
      for (int i = 0; i < 3000; i++) {
        int columns = 1 + random.nextInt(i % 3 == 0 ? RowGather.MAX_ROW_BYTES / 4 : 70);
        int count = 1 + random.nextInt(Math.min(RowGather.MAX_ROWS, FLOATS / columns));
        int offset = random.nextInt(5);
        long[] places = new long[count + random.nextInt(3)];
        float[] expected = new float[offset + count * columns + 3];
        for (int k = 0; k < count; k++) {
          int at = random.nextInt(FLOATS - columns + 1);
          places[k] = from.address() + 4L * at;
          System.arraycopy(values, at, expected, offset + k * columns, columns);
        }
        float[] inArray = new float[expected.length];
        MemorySegment offHeap = arena.allocate(4L * expected.length);

        gather.get().copy(places, count, 4L * columns, MemorySegment.ofArray(inArray), 4L * offset);
        gather.get().copy(places, count, 4L * columns, offHeap, 4L * offset);

        assertThat(inArray).isEqualTo(expected);
        assertThat(offHeap.toArray(ValueLayout.JAVA_FLOAT)).isEqualTo(expected);
      }
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment from = arena.allocate(64);
      long[] places = {from.address(), from.address()};
      MemorySegment to = MemorySegment.ofArray(new float[31]);
      assertThatThrownBy(() -> gather.get().copy(places, 2, 64, to, 0))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> gather.get().copy(places, 3, 4, to, 0))
          .isInstanceOf(IndexOutOfBoundsException.class);
      for (int count : new int[] {-1, 0, RowGather.MAX_ROWS + 1}) {
        assertThatThrownBy(() -> gather.get().copy(places, count, 4, to, 0))
            .hasMessage("count must lie in [1, 512] but is " + count);
      }
      for (long rowBytes : new long[] {-4, 0, 6, RowGather.MAX_ROW_BYTES + 4}) {
        assertThatThrownBy(() -> gather.get().copy(places, 1, rowBytes, to, 0))
            .hasMessage("rowBytes must be a multiple of 4 in [4, 2048] but is " + rowBytes);
      }
    }
  }

  @Test
  void memoryThatIsClosedIsSaid() {
    try (Arena rows = Arena.ofConfined()) {
      long[] places = {rows.allocate(64).address()};
      Arena closed = Arena.ofShared();
      MemorySegment to = closed.allocate(64);
      closed.close();

      assertThatThrownBy(() -> gather.get().copy(places, 1, 64, to, 0))
          .isInstanceOf(IllegalStateException.class);
    }
  }
}
