package dev.espalier.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SampleOrderTest {
  private static final long SEED = 11;

  private static SampleOrder order(SampleSplit split, int worker, int workers, boolean isDealtOut) {
    return new SampleOrder(split, 1, SEED, worker, workers, isDealtOut);
  }

  @ParameterizedTest
  @CsvSource({"90, 40, 1", "90, 40, 2", "91, 13, 3", "10, 0, 4"})
  void samplesThatAreDealtOutGoToOneWorkerAlone(int samples, int heldOut, int workers) {
    SampleSplit split = SampleSplit.of(samples, heldOut, SEED);
    Set<Integer> seen = new HashSet<>();
    for (int worker = 0; worker < workers; worker++) {
      SampleOrder order = order(split, worker, workers, true);
      Set<Integer> own = new HashSet<>();
      for (int clock = 0; clock < 50; clock++) {
        Arrays.stream(order.samples(7L * workers * clock, 7)).forEach(own::add);
      }
      for (int sample : own) {
        assertThat(seen.add(sample)).as("sample %d of worker %d", sample, worker).isTrue();
      }
    }
    assertThat(seen)
        .containsExactlyInAnyOrderElementsOf(Arrays.stream(split.training()).boxed().toList());
  }

  @Test
  void anEpochOfAWorkerVisitsEachOfItsSamplesOnce() {
    SampleSplit split = SampleSplit.of(31, 4, SEED);
    SampleOrder order = order(split, 1, 3, true);
    int[] first = order.samples(0, 9);
    assertThat(first).doesNotHaveDuplicates().hasSize(9);
    int[] second = order.samples(27, 9);
    assertThat(second).isNotEqualTo(first);
    Arrays.sort(first);
    Arrays.sort(second);
    assertThat(second).isEqualTo(first);
  }

  @Test
  void aWorkerWithoutSamplesOfItsOwnGetsNone() {
    SampleSplit split = SampleSplit.of(2, 0, SEED);
    assertThat(order(split, 2, 3, true).samples(12, 8)).isEmpty();
    assertThat(order(split, 1, 3, true).samples(12, 8)).containsOnly(1);
  }

  @Test
  void samplesThatAreNotDealtOutAreCutFromOneOrder() {
    SampleSplit split = SampleSplit.of(50, 10, SEED);
    int[] all = order(split, 0, 1, false).samples(16, 8);
    for (int worker = 0; worker < 2; worker++) {
      assertThat(order(split, worker, 2, false).samples(16, 4))
          .isEqualTo(Arrays.copyOfRange(all, 4 * worker, 4 * worker + 4));
    }
  }
}
