package dev.espalier.runtime;

import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Sees that a call of the program does not come back.
///
/// A worker whose program hangs answers its tuner as one that trains: only here is it known since
/// when a call runs, how long such calls took before, and where its thread stands. Time in which
/// the thread waits for other workers does not count: it is theirs that hangs.
///
/// `run` is for the training thread; a thread of its own looks every second.
final class CallWatch implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(CallWatch.class);
  private static final Duration PERIOD = Duration.ofSeconds(1);

  /// What waits for other workers is below these.
  private static final String WAITING = "dev.espalier.ps.";

  /// Frames of a stack that are written into the log.
  private static final int FRAMES = 40;

  private final Patience patience;
  private final LongSupplier nanoTime;
  private final Listener listener;
  private final Map<Kind, Long> longest = new EnumMap<>(Kind.class);
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("call-watch").factory());
  private @Nullable Call current;
  private long lastLookNanos;

  /// @param nanoTime the clock that calls are measured with
  CallWatch(Patience patience, LongSupplier nanoTime, Listener listener) {
    this.patience = patience;
    this.nanoTime = nanoTime;
    this.listener = listener;
  }

  /// When a call has run for too long.
  ///
  /// @param first before any such call has ended
  /// @param least afterwards, at least
  /// @param times how many times the longest one so far
  /// @param timeout after which the worker is of no more use; zero for never
  record Patience(Duration first, Duration least, int times, Duration timeout) {
    static Patience until(Duration timeout) {
      return new Patience(Duration.ofMinutes(10), Duration.ofMinutes(1), 20, timeout);
    }
  }

  /// Hears of calls that do not come back; in the watch's thread.
  interface Listener {
    /// @param what in words, such as `clock 17 has run for 61 s`
    /// @param timedOut whether it has run for longer than it may
    void stalls(String what, boolean timedOut);

    /// What was said to stall has come to its end.
    void goesOn();

    /// {@return whether nobody waits for this worker any more}
    boolean isOver();
  }

  /// What is called.
  enum Kind {
    OPEN(false),
    CLOSE(false),
    INITIALISE(false),
    CLOCK(true),
    LOSS(true),
    EVALUATE(true);

    private final boolean isBounded;

    Kind(boolean isBounded) {
      this.isBounded = isBounded;
    }

    private String words(long clock) {
      return this == CLOCK
          ? "clock " + clock
          : name().toLowerCase(Locale.ROOT) + (isBounded ? " after clock " + clock : "");
    }
  }

  private static final class Call {
    private final Kind kind;
    private final long clock;
    private final Thread thread;
    private final long beginNanos;
    private long waitedNanos;
    private long dumpAfterNanos;
    private boolean isToldOf;
    private boolean isOver;
    private boolean isInterrupted;

    private Call(Kind kind, long clock, long beginNanos) {
      this.kind = kind;
      this.clock = clock;
      this.thread = Thread.currentThread();
      this.beginNanos = beginNanos;
    }
  }

  /// Begins to look.
  void start() {
    timer.scheduleWithFixedDelay(
        this::lookSafely, PERIOD.toMillis(), PERIOD.toMillis(), TimeUnit.MILLISECONDS);
  }

  /// Runs a call in the caller's thread.
  ///
  /// @param clock that the branch has come to
  <T> T run(Kind kind, long clock, Supplier<T> call) {
    var begun = new Call(kind, clock, nanoTime.getAsLong());
    synchronized (this) {
      current = begun;
      lastLookNanos = begun.beginNanos;
    }
    try {
      return call.get();
    } finally {
      end(begun);
    }
  }

  private void end(Call call) {
    boolean wasToldOf;
    synchronized (this) {
      current = null;
      longest.merge(call.kind, ranNanos(call), Math::max);
      wasToldOf = call.isToldOf;
    }
    if (call.isInterrupted) {
      // That was for the call, which is over; the thread takes part in what comes next.
      Thread.interrupted();
    }
    if (wasToldOf) {
      log.info("{} goes on", call.kind.words(call.clock));
      listener.goesOn();
    }
  }

  private long ranNanos(Call call) {
    return nanoTime.getAsLong() - call.beginNanos - call.waitedNanos;
  }

  private void lookSafely() {
    try {
      look();
    } catch (RuntimeException failure) {
      log.warn("the program's calls cannot be watched: {}", failure.toString());
    }
  }

  /// Looks once.
  void look() {
    Call call;
    long ran;
    long usual;
    StackTraceElement[] stack;
    synchronized (this) {
      call = current;
      if (call == null) {
        return;
      }
      long now = nanoTime.getAsLong();
      stack = call.thread.getStackTrace();
      if (waitsForOthers(stack)) {
        call.waitedNanos += now - lastLookNanos;
      }
      lastLookNanos = now;
      ran = ranNanos(call);
      usual = longest.getOrDefault(call.kind, 0L);
      boolean timedOut =
          call.kind.isBounded && !patience.timeout().isZero() && ran > patience.timeout().toNanos();
      if (!timedOut && ran <= limitNanos(usual) || waitsForOthers(stack)) {
        return;
      }
      call.isToldOf = true;
      tell(call, ran, usual, stack, timedOut);
    }
  }

  private long limitNanos(long usual) {
    return usual == 0
        ? patience.first().toNanos()
        : Math.max(patience.least().toNanos(), patience.times() * usual);
  }

  /// Inside the lock, so that nothing is told of a call after its end.
  private void tell(Call call, long ran, long usual, StackTraceElement[] stack, boolean timedOut) {
    String what =
        "%s has run for %s s, %s"
                .formatted(
                    call.kind.words(call.clock),
                    seconds(ran),
                    usual == 0
                        ? "and none has ended before"
                        : "and the longest before took " + seconds(usual) + " s")
            + (timedOut
                ? "; limits.clockTimeout is " + seconds(patience.timeout().toNanos()) + " s"
                : "");
    if (ran >= call.dumpAfterNanos || timedOut && !call.isOver) {
      call.dumpAfterNanos = 2 * ran;
      log.warn("{}; its thread stands\n{}", what, dump(stack));
    }
    call.isOver = timedOut;
    listener.stalls(what, timedOut);
    if (timedOut && listener.isOver()) {
      // A call that waits for what does not come ends by this; one that computes cannot be ended.
      call.isInterrupted = true;
      call.thread.interrupt();
    }
  }

  private static String dump(StackTraceElement[] stack) {
    List<String> lines =
        Arrays.stream(stack).limit(FRAMES).map(frame -> "    at " + frame).toList();
    return lines.stream().collect(Collectors.joining("\n"));
  }

  /// Whether the program has called the parameter server, and that does not answer.
  private static boolean waitsForOthers(StackTraceElement[] stack) {
    for (StackTraceElement frame : stack) {
      if (frame.getClassName().startsWith(WAITING)) {
        return true;
      }
      if (!frame.getClassName().startsWith("java.") && !frame.getClassName().startsWith("jdk.")) {
        return false;
      }
    }
    return false;
  }

  private static String seconds(long nanos) {
    double seconds = nanos / 1e9;
    if (seconds < 0.01) {
      return "less than 0.01";
    }
    return seconds < 10
        ? String.format(Locale.ROOT, "%.2f", seconds)
        : Long.toString(Math.round(seconds));
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
