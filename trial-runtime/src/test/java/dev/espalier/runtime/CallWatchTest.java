package dev.espalier.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The watch's clock is the test's; the calls run in threads of their own.
@Timeout(60)
final class CallWatchTest {
  private final AtomicLong nanos = new AtomicLong();
  private final Said said = new Said();
  private final CallWatch watch = watch(Duration.ZERO);

  private CallWatch watch(Duration timeout) {
    return new CallWatch(
        new CallWatch.Patience(Duration.ofSeconds(100), Duration.ofSeconds(10), 20, timeout),
        nanos::get,
        said);
  }

  private static final class Said implements CallWatch.Listener {
    private final List<String> words = new CopyOnWriteArrayList<>();
    private final AtomicBoolean isOver = new AtomicBoolean();

    @Override
    public void stalls(String what, boolean timedOut) {
      words.add(what + (timedOut ? " (over)" : ""));
    }

    @Override
    public void goesOn() {
      words.add("goes on");
    }

    @Override
    public boolean isOver() {
      return isOver.get();
    }
  }

  @AfterEach
  void close() {
    watch.close();
  }

  private void pass(double seconds) {
    nanos.addAndGet(Math.round(seconds * 1e9));
  }

  /// A call that does not come back until it is let go.
  private final class Hanging implements AutoCloseable {
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch end = new CountDownLatch(1);
    private final AtomicBoolean wasInterrupted = new AtomicBoolean();
    private final Thread thread;

    Hanging(CallWatch in, CallWatch.Kind kind, long clock) throws InterruptedException {
      thread = Thread.ofPlatform().daemon().start(() -> in.run(kind, clock, this::hang));
      assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
    }

    private boolean hang() {
      begun.countDown();
      try {
        end.await();
      } catch (InterruptedException _) {
        wasInterrupted.set(true);
      }
      return true;
    }

    void await() {
      try {
        assertThat(thread.join(Duration.ofSeconds(10))).isTrue();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new AssertionError(interrupted);
      }
    }

    @Override
    public void close() {
      end.countDown();
      await();
    }
  }

  private void clockOf(double seconds) {
    watch.run(
        CallWatch.Kind.CLOCK,
        1,
        () -> {
          pass(seconds);
          return true;
        });
  }

  @Test
  void callThatRunsFarLongerThanThoseBeforeStalls() throws Exception {
    clockOf(0.4);
    clockOf(1);
    try (var _ = new Hanging(watch, CallWatch.Kind.CLOCK, 17)) {
      pass(20);
      watch.look();
      assertThat(said.words).isEmpty();
      pass(1);
      watch.look();
      assertThat(said.words)
          .containsExactly("clock 17 has run for 21 s, and the longest before took 1.00 s");
    }
    assertThat(said.words).last().isEqualTo("goes on");
  }

  @Test
  void shortCallsHaveAPatienceOfTheirOwn() throws Exception {
    clockOf(0.001);
    try (var _ = new Hanging(watch, CallWatch.Kind.CLOCK, 17)) {
      pass(9);
      watch.look();
      assertThat(said.words).isEmpty();
      pass(2);
      watch.look();
      assertThat(said.words).hasSize(1);
    }
  }

  @Test
  void firstCallOfItsKindMayTakeLonger() throws Exception {
    clockOf(0.001);
    try (var _ = new Hanging(watch, CallWatch.Kind.EVALUATE, 17)) {
      pass(99);
      watch.look();
      assertThat(said.words).isEmpty();
      pass(2);
      watch.look();
      assertThat(said.words)
          .containsExactly("evaluate after clock 17 has run for 101 s, and none has ended before");
    }
  }

  @Test
  void callBeyondTheLimitIsOverAndInterruptedOnceNobodyWaitsForIt() throws Exception {
    try (var limited = watch(Duration.ofSeconds(3))) {
      var hanging = new Hanging(limited, CallWatch.Kind.CLOCK, 17);
      pass(4);
      limited.look();
      assertThat(said.words)
          .containsExactly(
              "clock 17 has run for 4.00 s, and none has ended before; limits.clockTimeout is 3.00"
                  + " s (over)");
      assertThat(hanging.wasInterrupted).isFalse();

      said.isOver.set(true);
      limited.look();
      hanging.await();
      assertThat(hanging.wasInterrupted).isTrue();
    }
  }

  @Test
  void openingHasNoLimit() throws Exception {
    try (var limited = watch(Duration.ofSeconds(3));
        var _ = new Hanging(limited, CallWatch.Kind.OPEN, 0)) {
      pass(90);
      limited.look();
      assertThat(said.words).isEmpty();
    }
  }
}
