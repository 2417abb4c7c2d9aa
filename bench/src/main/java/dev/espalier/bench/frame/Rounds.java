package dev.espalier.bench.frame;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import java.util.stream.DoubleStream;

/// Measures several pieces of work in turn, round after round, so that what the machine does
/// meanwhile hits all of them alike: the memory of a shared machine changes its speed by the
/// minute, and only figures taken side by side can be compared.
///
/// @param warmUps rounds before the measured ones, >= 0
/// @param measured rounds of which the median counts, >= 1
public record Rounds(int warmUps, int measured) {

  /// Checks the bounds.
  public Rounds {
    if (warmUps < 0 || measured < 1) {
      throw new IllegalArgumentException(
          "rounds must satisfy warmUps >= 0, measured >= 1 but are " + warmUps + ", " + measured);
    }
  }

  /// Runs every piece of work once a round.
  ///
  /// @param threads how many threads share a piece of work, started together
  /// @param work each called with the index of the thread in [0, threads)
  /// @return median seconds of each, from the start of the first thread to the end of the last
  public double[] medianSeconds(int threads, List<IntConsumer> work)
      throws ExecutionException, InterruptedException {
    var seconds = new double[work.size()][measured];
    try (var executor =
        Executors.newFixedThreadPool(threads, Thread.ofPlatform().name("bench-", 0).factory())) {
      for (int round = -warmUps; round < measured; round++) {
        for (int i = 0; i < work.size(); i++) {
          double elapsed = seconds(executor, threads, work.get(i));
          if (round >= 0) {
            seconds[i][round] = elapsed;
          }
        }
      }
    }
    double[] medians = new double[work.size()];
    for (int i = 0; i < medians.length; i++) {
      medians[i] = Rate.median(DoubleStream.of(seconds[i]));
    }
    return medians;
  }

  private static double seconds(ExecutorService executor, int threads, IntConsumer work)
      throws ExecutionException, InterruptedException {
    var start = new CyclicBarrier(threads);
    var running = new ArrayList<Future<long[]>>();
    for (int thread = 0; thread < threads; thread++) {
      int index = thread;
      running.add(
          executor.submit(() -> {
            start.await();
            long began = System.nanoTime();
            work.accept(index);
            return new long[] {began, System.nanoTime()};
          }));
    }
    long first = Long.MAX_VALUE;
    long last = Long.MIN_VALUE;
    for (Future<long[]> future : running) {
      long[] span = future.get();
      first = Math.min(first, span[0]);
      last = Math.max(last, span[1]);
    }
    return (last - first) / 1e9;
  }
}
