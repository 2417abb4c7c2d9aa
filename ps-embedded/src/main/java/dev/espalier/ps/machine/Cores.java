package dev.espalier.ps.machine;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Work on much memory, in pieces that several cores take.
///
/// One core keeps too few lines of memory on their way to use all the bandwidth that there is. The
/// caller works itself and waits for none who has not begun: where no thread is free, or the system
/// gives none, it does all of it. Thread-safe.
public final class Cores {
  /// More do not make memory faster.
  private static final int MOST = 16;

  private static final int IDLE_SECONDS = 10;
  private static final long AGAIN_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final int SPINS = 1_000;

  private static final Cores HERE = new Cores(number());

  private final int number;
  private final ThreadPoolExecutor helpers;
  private volatile boolean isRefused;
  private volatile long refusedNanos;

  /// @param number of cores, the caller's among them, > 0
  Cores(int number) {
    this(
        number,
        work ->
            Thread.ofPlatform()
                .daemon()
                .inheritInheritableThreadLocals(false)
                .name("core")
                .unstarted(work));
  }

  /// The same with threads of one's own.
  Cores(int number, ThreadFactory threads) {
    this.number = number;
    int others = Math.max(1, number - 1);
    helpers =
        new ThreadPoolExecutor(
            others, others, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), threads);
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
  /// @param most elements in a piece, > 0; a piece takes some hundred microseconds at best, for
  ///   taking one is little work, and the last ones are waited for
  /// @throws RuntimeException what a piece threw; others may have been left out then
  public void share(int length, int most, Piece work) {
    if (length == 0) {
      return;
    }
    int cores = Math.min(number, Math.ceilDiv(length, most));
    if (cores == 1) {
      work.run(0, length);
      return;
    }
    var shared = new Shared(length, most, work);
    for (int i = 1; i < cores; i++) {
      ask(shared);
    }
    shared.run();
    shared.await();
    while (helpers.remove(shared)) {
      // Nothing is left of it for those who have not come.
    }
  }

  private void ask(Shared shared) {
    long now = System.nanoTime();
    if (isRefused && now - refusedNanos < AGAIN_NANOS) {
      return;
    }
    try {
      helpers.execute(shared);
      isRefused = false;
    } catch (OutOfMemoryError _) {
      // The system gives no thread, and the JVM writes lines about it for each that is asked for.
      refusedNanos = now;
      isRefused = true;
    }
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

    /// What others have begun mostly takes no longer than the last piece of the caller's.
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
