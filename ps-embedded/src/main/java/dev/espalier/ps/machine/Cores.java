package dev.espalier.ps.machine;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Work on much memory, in pieces that several cores take.
///
/// One core keeps too few lines of memory on their way to use all the bandwidth that there is. The
/// caller works itself and waits for none who has not begun: where no other core is free, it does
/// all of it. Thread-safe.
public final class Cores {
  /// More do not make memory faster.
  private static final int MOST = 16;

  private static final int IDLE_SECONDS = 10;
  private static final int SPINS = 1_000;

  private static final Cores HERE = new Cores(number());

  private final int number;
  private final ThreadPoolExecutor helpers;
  private final AtomicInteger nextName = new AtomicInteger();

  /// @param number of cores, the caller's among them, > 0
  Cores(int number) {
    this.number = number;
    int others = Math.max(1, number - 1);
    helpers =
        new ThreadPoolExecutor(
            others,
            others,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            work ->
                Thread.ofPlatform()
                    .daemon()
                    .name("core-" + nextName.getAndIncrement())
                    .unstarted(work));
    helpers.allowCoreThreadTimeOut(true);
  }

  /// Those that this process may use: as many as the system property `espalier.cores` says, else
  /// all that it sees, at most 16.
  public static Cores ofThisProcess() {
    return HERE;
  }

  private static int number() {
    int seen = Runtime.getRuntime().availableProcessors();
    return Math.clamp(Integer.getInteger("espalier.cores", seen), 1, MOST);
  }

  /// A part of some work.
  public interface Piece {
    /// Does it; may be called by several threads at once, for parts that do not meet.
    ///
    /// @param first index of its first element
    /// @param count of its elements, > 0
    void run(int first, int count);
  }

  /// Does all of some work, and returns when it is done; what was written is seen then.
  ///
  /// @param length number of elements, >= 0
  /// @param most elements in a piece, > 0; a piece should take some ten microseconds
  /// @throws RuntimeException what a piece threw; others may have been left out then
  public void share(int length, int most, Piece work) {
    int pieces = Math.ceilDiv(length, most);
    int cores = Math.min(number, pieces);
    if (cores <= 1) {
      if (length > 0) {
        work.run(0, length);
      }
      return;
    }
    var shared = new Shared(length, most, work);
    try {
      for (int i = 1; i < cores; i++) {
        helpers.execute(shared);
      }
    } catch (OutOfMemoryError _) {
      // The system gives no thread: those that there are do it.
    }
    shared.run();
    shared.await();
  }

  /// Work that is being done.
  private static final class Shared implements Runnable {
    private final int length;
    private final int most;
    private final int pieces;
    private final Piece work;
    private final Thread caller = Thread.currentThread();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private volatile @Nullable Throwable failure;

    Shared(int length, int most, Piece work) {
      this.length = length;
      this.most = most;
      this.pieces = Math.ceilDiv(length, most);
      this.work = work;
    }

    @Override
    public void run() {
      for (int i = next.getAndIncrement(); i < pieces; i = next.getAndIncrement()) {
        take(i);
        if (done.incrementAndGet() == pieces) {
          LockSupport.unpark(caller);
        }
      }
    }

    private void take(int piece) {
      if (failure != null) {
        return;
      }
      try {
        int first = piece * most;
        work.run(first, Math.min(most, length - first));
      } catch (RuntimeException | Error thrown) {
        failure = thrown;
      }
    }

    /// The pieces that others took take no longer than the last one of the caller's.
    void await() {
      for (int i = 0; i < SPINS && done.get() < pieces; i++) {
        Thread.onSpinWait();
      }
      boolean wasInterrupted = false;
      while (done.get() < pieces) {
        LockSupport.park(this);
        wasInterrupted |= Thread.interrupted();
      }
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
      switch (failure) {
        case RuntimeException thrown -> throw thrown;
        case Error thrown -> throw thrown;
        case null, default -> {}
      }
    }
  }
}
