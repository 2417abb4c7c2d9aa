package dev.espalier.programs.lockfree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class SampleThreadsTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void aTurnSeesWhatAllThreadsWroteInTheOneBefore(int count) {
    try (var threads = new SampleThreads(count)) {
      long[] seen = new long[count];
      long[] written = new long[count];
      for (int clock = 0; clock < 200; clock++) {
        double sum =
            threads.sumOfTurns(
                3,
                (thread, turn) -> {
                  // Each writes to the next one's place, which has written to the one after it.
                  int place = (thread + turn) % count;
                  written[place]++;
                  seen[thread] += written[place];
                  return thread + 1;
                });
        assertThat(sum).isEqualTo(3 * count * (count + 1) / 2.0);
        assertThat(written).containsOnly(3L * (clock + 1));
      }
      // A place is written once a turn: its values are 1, 2, 3 and so on, whoever sees them.
      assertThat(seen).containsOnly(600L * 601 / 2);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void partsAreAllSamples(int count) {
    try (var threads = new SampleThreads(count)) {
      for (int samples : new int[] {0, 1, 4, 5, 1003}) {
        int[] taken = new int[samples];
        threads.sum(
            samples,
            (from, to) -> {
              Arrays.fill(taken, from, to, 1);
              return 0;
            });
        assertThat(Arrays.stream(taken).sum()).isEqualTo(samples);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void aFailureOfAnyThreadReachesTheCallerAndTheNextClockRuns(int failing) {
    try (var threads = new SampleThreads(2)) {
      assertThatThrownBy(() ->
              threads.sumOfTurns(
                  2,
                  (thread, turn) -> {
                    if (thread == failing && turn == 0) {
                      throw new IllegalStateException("broken");
                    }
                    return 1;
                  }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("broken");
      assertThat(threads.sumOfTurns(2, (_, _) -> 1)).isEqualTo(4);
    }
  }

  @Test
  void threadsEndWhenClosed() throws InterruptedException {
    var threads = new SampleThreads(2);
    var other = new Thread[1];
    threads.sumOfTurns(
        1,
        (thread, _) -> {
          if (thread == 1) {
            other[0] = Thread.currentThread();
          }
          return 0;
        });
    threads.close();
    other[0].join(30_000);
    assertThat(other[0].isAlive()).isFalse();
    threads.close();
  }

  /// They write to memory that the caller closes.
  @ParameterizedTest
  @ValueSource(ints = {0, 4, 8})
  void noPartRunsOnWhenAnotherOneHasFailed(int failing) {
    var failed = new CountDownLatch(1);
    var ended = new AtomicInteger();
    try (var threads = new SampleThreads(3)) {
      assertThatThrownBy(() ->
              threads.sum(
                  12,
                  (from, _) -> {
                    if (from == failing) {
                      failed.countDown();
                      throw new IllegalArgumentException("part " + from);
                    }
                    await(failed);
                    Thread.yield();
                    ended.incrementAndGet();
                    return 1;
                  }))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("part " + failing);
      assertThat(ended).hasValue(2);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
