package dev.espalier.programs.lockfree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class SampleThreadsTest {

  @Test
  void partsMakeUpTheWhole() {
    try (var threads = new SampleThreads(3)) {
      assertThat(threads.sum(10, (from, to) -> 100 * (to - from))).isEqualTo(1000);
      assertThat(threads.sum(0, (from, to) -> to - from)).isZero();
    }
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
