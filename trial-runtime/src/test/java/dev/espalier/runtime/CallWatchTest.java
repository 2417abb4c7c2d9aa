package dev.espalier.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.WorkerSession;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.Transport;
import dev.espalier.sdk.TrainingProgram;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
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
      this(in, kind, clock, () -> {});
      awaitBegun();
    }

    /// @param before what the call does before it hangs
    Hanging(CallWatch in, CallWatch.Kind kind, long clock, Runnable before) {
      thread =
          Thread.ofPlatform()
              .daemon()
              .start(() ->
                  in.run(
                      kind,
                      clock,
                      () -> {
                        before.run();
                        return hang();
                      }));
    }

    void awaitBegun() throws InterruptedException {
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

  @Test
  void timeInWhichACallWaitsForOtherWorkersDoesNotCount() throws Exception {
    clockOf(0.001);
    try (var two = new TwoWorkers();
        var call = new Hanging(watch, CallWatch.Kind.CLOCK, 17, two::awaitOther)) {
      two.awaitWaiting(call.thread);
      pass(5000);
      watch.look();
      assertThat(said.words).as("it is the other one that hangs").isEmpty();

      two.arrive();
      call.awaitBegun();
      pass(9);
      watch.look();
      assertThat(said.words).isEmpty();
      pass(2);
      watch.look();
      assertThat(said.words)
          .containsExactly(
              "clock 17 has run for 11 s, and the longest before took less than 0.01 s");
    }
  }

  /// The first worker and the second one of a real parameter server.
  private static final class TwoWorkers implements AutoCloseable {
    private final List<ParameterServer> servers =
        IntStream.range(0, 2)
            .mapToObj(worker ->
                ParameterServer.open(
                    ParameterServerConfig.of(2, worker, 1 << 20),
                    List.of(TableSpec.dense("w", 4, 1, "sgd"))))
            .toList();
    private final Transport shards =
        Transport.inProcess(servers.stream().map(ParameterServer::shard).toList());
    private final WorkerSession first = servers.getFirst().session(shards);
    private final WorkerSession second = servers.getLast().session(shards);

    void awaitOther() {
      first.awaitBarrier("both");
    }

    void arrive() {
      second.awaitBarrier("both");
    }

    void awaitWaiting(Thread thread) throws InterruptedException {
      while (thread.getState() != Thread.State.TIMED_WAITING) {
        Thread.sleep(1);
      }
    }

    @Override
    public void close() {
      servers.forEach(ParameterServer::close);
    }
  }

  /// A call that nobody watches could hang unseen; no worker asks for the names of rows.
  @Test
  void everyCallOfAProgramIsWatchedButThoseThatOnlySay() {
    assertThat(methods(WatchedProgram.class.getDeclaredMethods()))
        .containsAll(
            methods(TrainingProgram.class.getMethods()).stream()
                .filter(name -> !Set.of("describe", "close", "rowNames").contains(name))
                .toList());
  }

  private static List<String> methods(Method[] methods) {
    return Arrays.stream(methods).map(Method::getName).toList();
  }

  /// A call that computes does not hear it, and what comes next must not.
  @Test
  void interruptOfACallEndsWithIt() throws Exception {
    try (var limited = watch(Duration.ofSeconds(3))) {
      var begun = new CountDownLatch(1);
      var isInterrupted = new AtomicBoolean(true);
      var ends = new AtomicBoolean();
      Thread thread =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                limited.run(
                    CallWatch.Kind.CLOCK,
                    17,
                    () -> {
                      begun.countDown();
                      while (!ends.get()) {
                        Thread.onSpinWait();
                      }
                      return true;
                    });
                isInterrupted.set(Thread.currentThread().isInterrupted());
              });
      assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
      pass(4);
      said.isOver.set(true);
      limited.look();
      assertThat(thread.isInterrupted()).isTrue();

      ends.set(true);
      assertThat(thread.join(Duration.ofSeconds(10))).isTrue();
      assertThat(isInterrupted).isFalse();
    }
  }
}
