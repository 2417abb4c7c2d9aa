package dev.espalier.ps.link;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.shard.Arrivals;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Frames of eight bytes, read by the thread of their wire and by threads that wait for them.
@Timeout(60)
final class ReadTurnTest {
  private static final Executor THREAD = task -> Thread.ofPlatform().daemon().start(task);

  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private final Arrivals arrivals = new Arrivals();
  private final List<Long> taken = Collections.synchronizedList(new ArrayList<>());
  private final AtomicInteger byVisitors = new AtomicInteger();
  private final AtomicInteger readers = new AtomicInteger();
  private volatile CompletableFuture<Throwable> end = new CompletableFuture<>();
  private Wire there;
  private Wire here;
  private Thread owner;

  @BeforeEach
  void connect() throws IOException {
    MemorySegment memory = Arena.ofAuto().allocate(2 * MemoryRing.BYTES, 128);
    var forth = memory.asSlice(0, MemoryRing.BYTES);
    var back = memory.asSlice(MemoryRing.BYTES);
    try (var listener = ServerSocketChannel.open()) {
      listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      there =
          new MemoryWire(
              SocketChannel.open(listener.getLocalAddress()),
              new MemoryRing(back),
              new MemoryRing(forth));
      here = new MemoryWire(listener.accept(), new MemoryRing(forth), new MemoryRing(back));
    }
    owner = Thread.ofPlatform().daemon().start(this::read);
  }

  @AfterEach
  void disconnect() {
    there.close();
    here.close();
  }

  private void read() {
    try {
      here.readAll(new Numbers(here), arrivals);
    } catch (IOException | RuntimeException | Error e) {
      end.complete(e);
    }
  }

  /// Wakes the owner or not, as it happens; what is taken late is not taken by anybody.
  @Test
  void eachFrameIsTakenOnceAndInOrderWhoeverTakesIt() throws Exception {
    int count = 40_000;
    var random = new Random(5);
    var sender =
        CompletableFuture.runAsync(
            () -> {
              for (long number = 0; number < count; number++) {
                send(number);
                if (random.nextInt(8) == 0) {
                  LockSupport.parkNanos(random.nextInt(60_000));
                }
              }
            },
            THREAD);
    var waiting = new Random(6);
    while (!isEnough(count)) {
      int wanted = Math.min(count, taken.size() + 1 + waiting.nextInt(20));
      arrivals.takeInUntil(() -> isEnough(wanted), TIMEOUT);
      LockSupport.parkNanos(waiting.nextInt(40_000));
    }
    sender.join();

    assertThat(taken).hasSize(count).isSorted().doesNotHaveDuplicates();
    assertThat(byVisitors.get()).isBetween(1, count - 1);
  }

  @Test
  void anotherVisitorMayWaitAtTheSameTime() throws Exception {
    int count = 20_000;
    var visitors = new ArrayList<CompletableFuture<Void>>();
    for (int visitor = 0; visitor < 3; visitor++) {
      visitors.add(
          CompletableFuture.runAsync(
              () -> {
                while (!isEnough(count)) {
                  arrivals.takeInUntil(() -> isEnough(count), TIMEOUT);
                }
              },
              THREAD));
    }
    for (long number = 0; number < count; number++) {
      send(number);
    }
    for (var visitor : visitors) {
      visitor.get(50, TimeUnit.SECONDS);
    }
    assertThat(taken).hasSize(count).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void ownerHearsOfWhatAVisitorFailedWith() throws Exception {
    awaitSleep();
    send(Numbers.BROKEN);
    arrivals.takeInUntil(end::isDone, TIMEOUT);

    assertThat(end.get(20, TimeUnit.SECONDS)).hasMessage("broken");
  }

  @Test
  void endOfTheOtherProcessEndsAVisitInTheMiddleOfAFrame() throws Exception {
    awaitSleep();
    var visit =
        CompletableFuture.runAsync(() -> arrivals.takeInUntil(end::isDone, TIMEOUT), THREAD);
    there.send(List.of(new Piece.Together(bytes(7).asSlice(0, 3))));
    Thread.sleep(5);
    there.close();

    assertThat(end.get(20, TimeUnit.SECONDS)).isInstanceOf(IOException.class);
    visit.get(20, TimeUnit.SECONDS);
    assertThat(taken).isEmpty();
  }

  @Test
  void visitorWithoutPatienceLeavesTheWireToItsOwner() throws Exception {
    awaitSleep();
    arrivals.takeInUntil(() -> false, TIMEOUT);
    send(1);
    while (taken.isEmpty()) {
      Thread.sleep(1);
    }
    assertThat(byVisitors.get()).isZero();
  }

  /// A process sends its last words and ends, whoever reads just then.
  @Test
  void framesThatCameBeforeTheEndAreTaken() throws Exception {
    for (int round = 0; round < 10; round++) {
      if (round > 0) {
        disconnect();
        end = new CompletableFuture<>();
        connect();
      }
      awaitSleep();
      var visit =
          CompletableFuture.runAsync(
              () -> {
                while (!end.isDone()) {
                  arrivals.takeInUntil(end::isDone, TIMEOUT);
                }
              },
              THREAD);
      for (long number = 0; number < 50; number++) {
        send(number);
      }
      there.close();

      assertThat(end.get(20, TimeUnit.SECONDS)).isInstanceOf(IOException.class);
      visit.get(20, TimeUnit.SECONDS);
      assertThat(taken).as("round %d", round).hasSize(50).isSorted();
    }
  }

  @Test
  void framesThatAVisitorLeavesAtTheEndAreTakenByTheOwner() throws Exception {
    awaitSleep();
    var looks = new AtomicInteger();
    var isRead = new CountDownLatch(1);
    var isOver = new CountDownLatch(1);
    // It has the turn when it looks for the third time.
    BooleanSupplier third =
        () -> {
          if (looks.incrementAndGet() == 3) {
            isRead.countDown();
            await(isOver);
          }
          return looks.get() >= 3;
        };
    var visit = CompletableFuture.runAsync(() -> arrivals.takeInUntil(third, TIMEOUT), THREAD);
    await(isRead);
    for (long number = 0; number < 3; number++) {
      send(number);
    }
    there.close();
    Thread.sleep(20);
    isOver.countDown();

    assertThat(end.get(20, TimeUnit.SECONDS)).isInstanceOf(IOException.class);
    visit.get(20, TimeUnit.SECONDS);
    assertThat(taken).hasSize(3).isSorted();
    assertThat(byVisitors.get()).isZero();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void interruptEndsAVisitAndCutsNothing() throws Exception {
    awaitSleep();
    Thread.currentThread().interrupt();
    arrivals.takeInUntil(() -> false, TIMEOUT);
    assertThat(Thread.interrupted()).isTrue();
    send(1);
    while (!isEnough(1)) {
      Thread.sleep(1);
    }
    assertThat(end).isNotDone();
  }

  private boolean isEnough(int count) {
    return taken.size() >= count || end.isDone();
  }

  private void awaitSleep() throws InterruptedException {
    send(-1);
    while (taken.isEmpty() || owner.getState() != Thread.State.RUNNABLE) {
      Thread.sleep(1);
    }
    Thread.sleep(20);
    taken.clear();
    byVisitors.set(0);
  }

  private void send(long number) {
    try {
      there.send(List.of(piece(number)));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Piece piece(long number) {
    return new Piece.Together(bytes(number));
  }

  private static MemorySegment bytes(long number) {
    return MemorySegment.ofBuffer(ByteBuffer.allocateDirect(Long.BYTES).putLong(0, number));
  }

  private final class Numbers implements Wire.Frames {
    static final long BROKEN = Long.MIN_VALUE;

    private final Wire wire;
    private ByteBuffer view = ByteBuffer.allocate(0);

    Numbers(Wire wire) {
      this.wire = wire;
    }

    @Override
    public boolean isThere() {
      return view.hasRemaining();
    }

    @Override
    public void take() throws IOException {
      assertThat(readers.incrementAndGet()).as("one reads at a time").isOne();
      long number = 0;
      for (int part = 0; part < Long.BYTES; part++) {
        if (!view.hasRemaining()) {
          view = wire.receive();
        }
        number = number << 8 | view.get() & 0xff;
      }
      readers.decrementAndGet();
      if (number == BROKEN) {
        throw new IOException("broken");
      }
      if (Thread.currentThread() != owner) {
        byVisitors.incrementAndGet();
      }
      taken.add(number);
    }
  }
}
