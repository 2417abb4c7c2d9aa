package dev.espalier.ps.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(30)
final class CoresTest {
  @ParameterizedTest
  @CsvSource({"1, 0, 1", "1, 10, 3", "4, 0, 1", "4, 1, 1", "4, 3, 4", "4, 1000, 7", "16, 1000, 1"})
  void eachElementIsTakenOnce(int number, int length, int most) {
    var cores = new Cores(number);
    for (int round = 0; round < 100; round++) {
      var taken = new AtomicIntegerArray(length);
      cores.share(
          length,
          most,
          (first, count) -> {
            assertThat(count).isPositive();
            for (int i = first; i < first + count; i++) {
              taken.incrementAndGet(i);
            }
          });
      assertThat(IntStream.range(0, length).map(taken::get)).allMatch(times -> times == 1);
    }
  }

  @Test
  void severalCoresWorkAtATime() {
    var all = new CountDownLatch(3);
    Set<Thread> threads = ConcurrentHashMap.newKeySet();

    new Cores(3)
        .share(
            3,
            1,
            (_, _) -> {
              threads.add(Thread.currentThread());
              all.countDown();
              await(all);
            });

    assertThat(threads).hasSize(3).contains(Thread.currentThread());
  }

  /// Where all helpers are busy, or the system gives none, nobody is waited for.
  @Test
  void theCallerDoesWhatNobodyElseTakes() throws Exception {
    var cores = new Cores(2);
    var begun = new CountDownLatch(2);
    var release = new CountDownLatch(1);
    Thread other =
        Thread.ofPlatform()
            .start(() ->
                cores.share(
                    2,
                    1,
                    (_, _) -> {
                      begun.countDown();
                      await(release);
                    }));
    await(begun);
    var taken = new AtomicInteger();

    cores.share(100, 1, (_, count) -> taken.addAndGet(count));

    assertThat(taken).hasValue(100);
    release.countDown();
    other.join();
  }

  @Test
  void aSystemThatGivesNoThreadIsNotAskedEachTime() {
    var asked = new AtomicInteger();
    var cores =
        new Cores(
            4,
            _ -> {
              asked.incrementAndGet();
              throw new OutOfMemoryError("unable to create native thread");
            });
    var taken = new AtomicInteger();

    for (int i = 0; i < 10; i++) {
      cores.share(100, 1, (_, count) -> taken.addAndGet(count));
    }

    assertThat(taken).hasValue(1000);
    assertThat(asked).hasValue(1);
  }

  @Test
  void aPieceMayItselfBeShared() {
    var cores = new Cores(3);
    var taken = new AtomicInteger();

    cores.share(10, 1, (_, _) -> cores.share(10, 1, (_, count) -> taken.addAndGet(count)));

    assertThat(taken).hasValue(100);
  }

  @Test
  void whatAPieceThrowsIsThrownWhenNobodyWorksAnyMore() {
    var cores = new Cores(4);
    for (int round = 0; round < 100; round++) {
      var working = new AtomicInteger();
      assertThatThrownBy(() ->
              cores.share(
                  50,
                  1,
                  (first, _) -> {
                    working.incrementAndGet();
                    try {
                      if (first == 20) {
                        throw new IllegalStateException("page is gone");
                      }
                    } finally {
                      working.decrementAndGet();
                    }
                  }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("page is gone");
      assertThat(working).hasValue(0);
    }
  }

  @Test
  void anInterruptIsKeptAndBreaksNothingOff() {
    Thread.currentThread().interrupt();
    var taken = new AtomicInteger();

    new Cores(2).share(100, 1, (_, count) -> taken.addAndGet(count));

    assertThat(taken).hasValue(100);
    assertThat(Thread.interrupted()).isTrue();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
