package dev.espalier.programs.lockfree;

import java.util.Arrays;
import java.util.concurrent.Phaser;
import org.jspecify.annotations.Nullable;

/* A clock of samples lasts about a millisecond, and to wake a thread takes a tenth of that. So threads
 * that wait for each other look for a while before they sleep. They meet once when a clock begins and once
 * after each turn; what one wrote before a meeting the others see after it.
 */
/// Takes the samples of a clock on several threads at once, which change rows without locks.
///
/// A clock may have several turns: a thread begins one when all others have ended the one before. A
/// program that gives threads rows of their own in every turn is repeatable. Where two threads may
/// meet in a row, one change may be lost, which is rare and heals by itself while samples touch few
/// of many rows (Recht et al. 2011, Hogwild, section 4), and no two runs are the same. One thread
/// is the caller's.
public final class SampleThreads implements AutoCloseable {
  /// Some tens of microseconds.
  private static final int LOOKS = 4000;

  private final int count;
  private final Phaser meeting;
  private boolean isStarted;

  /// Written by the caller before a clock's first meeting; null when closed.
  private @Nullable Clock clock;

  /// Takes one part of the samples.
  public interface Part {
    /// {@return the sum of the losses of the samples that are a thread's in a turn}
    double take(int thread, int turn);
  }

  /// @param sums what each thread's parts gave
  /// @param failures of threads, null where there was none
  private record Clock(int turns, Part part, double[] sums, @Nullable Throwable[] failures) {
    void run(int thread, Runnable meet) {
      for (int turn = 0; turn < turns; turn++) {
        try {
          if (failures[thread] == null) {
            sums[thread] += part.take(thread, turn);
          }
        } catch (RuntimeException | Error failure) {
          // The others must not wait for ever, and the caller has to know.
          failures[thread] = failure;
        }
        meet.run();
      }
    }
  }

  /// @param count how many threads, >= 1
  public SampleThreads(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("threads must be >= 1 but is " + count);
    }
    this.count = count;
    meeting = new Phaser(count);
  }

  /// {@return how many threads}
  public int count() {
    return count;
  }

  private void start() {
    for (int i = 1; i < count; i++) {
      int thread = i;
      Thread.ofPlatform().name("samples-" + i).daemon(true).start(() -> runUntilClosed(thread));
    }
    isStarted = true;
  }

  private void runUntilClosed(int thread) {
    while (true) {
      meet();
      Clock next = clock;
      if (next == null) {
        return;
      }
      next.run(thread, this::meet);
    }
  }

  private void meet() {
    int phase = meeting.arrive();
    for (int i = 0; i < LOOKS && meeting.getPhase() == phase; i++) {
      Thread.onSpinWait();
    }
    meeting.awaitAdvance(phase);
  }

  /// Takes all samples of a clock, in parts of equal size, in one turn.
  ///
  /// @param samples how many, >= 0
  /// @return the sum of what the parts gave
  public double sum(int samples, Range range) {
    return sumOfTurns(
        1,
        (thread, _) ->
            range.take(
                (int) ((long) samples * thread / count),
                (int) ((long) samples * (thread + 1) / count)));
  }

  /// Takes a range of samples.
  public interface Range {
    /// {@return the sum of the losses of the samples in [from, to) of the clock}
    double take(int from, int to);
  }

  /// Takes all samples of a clock, turn by turn.
  ///
  /// @param turns >= 1
  /// @return the sum of what the parts gave
  public double sumOfTurns(int turns, Part part) {
    if (!isStarted) {
      start();
    }
    var next = new Clock(turns, part, new double[count], new @Nullable Throwable[count]);
    clock = next;
    meet();
    next.run(0, this::meet);
    for (Throwable failure : next.failures()) {
      switch (failure) {
        case null -> {}
        case RuntimeException known -> throw known;
        case Error error -> throw error;
        default -> throw new IllegalStateException("a thread of the clock failed", failure);
      }
    }
    return Arrays.stream(next.sums()).sum();
  }

  @Override
  public void close() {
    clock = null;
    if (isStarted) {
      isStarted = false;
      meeting.arriveAndDeregister();
    }
  }
}
