package dev.espalier.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class ShuffledCursorTest {
  @Test
  void everyEpochIsAPermutation() {
    var cursor = new ShuffledCursor(1000, 42);
    int[] all = IntStream.range(0, 1000).toArray();
    for (int epoch = 0; epoch < 5; epoch++) {
      int[] order = cursor.indices(epoch * 1000L, 1000);
      assertThat(order).isNotEqualTo(all);
      Arrays.sort(order);
      assertThat(order).isEqualTo(all);
    }
  }

  @Test
  void epochsAndSeedsDiffer() {
    int[] first = new ShuffledCursor(1000, 42).indices(0, 1000);
    assertThat(new ShuffledCursor(1000, 42).indices(1000, 1000)).isNotEqualTo(first);
    assertThat(new ShuffledCursor(1000, 43).indices(0, 1000)).isNotEqualTo(first);
  }

  @Test
  void anyPieceIsThatOfTheWholeInAnyOrderOfAsking() {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    int[] whole = new ShuffledCursor(97, 5).indices(0, 97 * 20);
    var cursor = new ShuffledCursor(97, 5);
    for (int i = 0; i < 500; i++) {
      int position = random.nextInt(97 * 15);
      int count = random.nextInt(300);
      assertThat(cursor.indices(position, count))
          .as("seed %d position %d count %d", seed, position, count)
          .isEqualTo(Arrays.copyOfRange(whole, position, position + count));
    }
  }

  @Test
  void spreadsFirstPlacesEvenly() {
    var cursor = new ShuffledCursor(10, 1);
    int[] seen = new int[10];
    for (int epoch = 0; epoch < 10_000; epoch++) {
      seen[cursor.indices(epoch * 10L, 1)[0]]++;
    }
    // 1000 expected each, standard deviation 30.
    for (int count : seen) {
      assertThat(count).isBetween(850, 1150);
    }
  }

  @Test
  void refusesWhatMakesNoSense() {
    assertThatThrownBy(() -> new ShuffledCursor(0, 1)).hasMessageContaining("samples");
    assertThatThrownBy(() -> new ShuffledCursor(5, 1).indices(-1, 1))
        .hasMessageContaining("position");
  }

  @Test
  void batchRowsNumberDistinctRowsInOrderOfFirstUse() {
    var rows = new BatchRows(1000);
    for (int round = 0; round < 3; round++) {
      rows.clear();
      assertThat(rows.slot(7)).isZero();
      assertThat(rows.slot(0)).isEqualTo(1);
      assertThat(rows.slot(7)).isZero();
      for (int row = 100; row < 300; row++) {
        assertThat(rows.slot(row)).isEqualTo(row - 98);
      }
      assertThat(rows.count()).isEqualTo(202);
      assertThat(rows.rows()).startsWith(7, 0, 100, 101);
    }
  }

  @Test
  void runsStayTogether() {
    int[] epoch = new ShuffledCursor(1000, 64, 3).indices(0, 1000);
    assertThat(epoch).doesNotHaveDuplicates().hasSize(1000);
    int steps = 0;
    for (int i = 1; i < epoch.length; i++) {
      steps += epoch[i] == epoch[i - 1] + 1 ? 1 : 0;
    }
    assertThat(steps).isGreaterThanOrEqualTo(1000 - 16);
    assertThat(new ShuffledCursor(1000, 1, 3).indices(0, 3000))
        .isEqualTo(new ShuffledCursor(1000, 3).indices(0, 3000));
    assertThatThrownBy(() -> new ShuffledCursor(5, 0, 1)).hasMessageContaining("samplesPerRun");
  }
}
