package dev.espalier.programs.lockfree;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Takes the samples of a clock on several threads at once, which change rows that they share
/// without locks.
///
/// Where two threads meet in a row, one change may be lost, which is rare and heals by itself while
/// samples touch few of many rows (Recht et al. 2011, Hogwild, section 4). On more than one thread
/// a clock is not repeatable; on one it runs in the caller's thread and is.
public final class SampleThreads implements AutoCloseable {
  private final int count;
  private final ExecutorService others;

  /// Takes one part of the samples.
  public interface Part {
    /// {@return the sum of the losses of the samples in [from, to) of the clock}
    double take(int from, int to);
  }

  /// @param count how many threads, >= 1
  public SampleThreads(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("threads must be >= 1 but is " + count);
    }
    this.count = count;
    others =
        Executors.newCachedThreadPool(
            Thread.ofPlatform().name("samples-", 1).daemon(true).factory());
  }

  /// Takes all samples, in as many parts of equal size as there are threads.
  ///
  /// @param samples how many, >= 0
  /// @return the sum of what the parts gave
  public double sum(int samples, Part part) {
    int size = Math.ceilDiv(samples, count);
    List<Future<Double>> running = new ArrayList<>();
    double sum;
    try {
      for (int from = size; from < samples; from += size) {
        int first = from;
        running.add(others.submit(() -> part.take(first, Math.min(samples, first + size))));
      }
      sum = part.take(0, Math.min(samples, size));
    } finally {
      running.forEach(SampleThreads::awaitEnd);
    }
    for (Future<Double> one : running) {
      sum += resultOf(one);
    }
    return sum;
  }

  /// A part that was begun is waited for, whatever became of the others: it changes memory that the
  /// caller will close.
  private static void awaitEnd(Future<Double> one) {
    boolean wasInterrupted = false;
    while (!one.isDone()) {
      try {
        one.get();
      } catch (InterruptedException e) {
        wasInterrupted = true;
      } catch (ExecutionException e) {
        // Told by its result.
      }
    }
    if (wasInterrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static double resultOf(Future<Double> ended) {
    if (ended.state() == Future.State.SUCCESS) {
      return ended.resultNow();
    }
    throw ended.exceptionNow() instanceof RuntimeException known
        ? known
        : new IllegalStateException("a thread of the clock failed", ended.exceptionNow());
  }

  @Override
  public void close() {
    others.close();
  }
}
