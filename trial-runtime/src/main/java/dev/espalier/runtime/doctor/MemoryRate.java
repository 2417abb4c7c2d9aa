package dev.espalier.runtime.doctor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// How fast all cores together copy memory that no cache holds.
final class MemoryRate {
  private static final int MAX_THREADS = 16;
  private static final long BYTES = 48L << 20;
  private static final int WARM_UPS = 2;
  private static final long MEASURED_NANOS = 700_000_000;

  private MemoryRate() {}

  /// {@return gigabytes per second, each byte counted as it is read and as it is written; NaN when
  /// interrupted; takes about a second}
  static double measure() {
    int threads = Math.min(MAX_THREADS, Runtime.getRuntime().availableProcessors());
    var start = new CyclicBarrier(threads);
    // All memory is there before the first thread waits for the others: one without would let them
    // wait for ever.
    try (Arena arena = Arena.ofShared();
        var workers = Executors.newFixedThreadPool(threads)) {
      var blocks = new ArrayList<MemorySegment>();
      for (int i = 0; i < 2 * threads; i++) {
        blocks.add(arena.allocate(BYTES, 64));
      }
      var rates = new ArrayList<Future<Double>>();
      for (int i = 0; i < threads; i++) {
        MemorySegment from = blocks.get(2 * i);
        MemorySegment to = blocks.get(2 * i + 1);
        rates.add(workers.submit(() -> copyRate(from, to, start)));
      }
      double sum = 0;
      for (Future<Double> rate : rates) {
        sum += rate.get();
      }
      return sum;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return Double.NaN;
    } catch (ExecutionException failure) {
      throw new IllegalStateException("memory cannot be copied", failure);
    }
  }

  private static double copyRate(MemorySegment from, MemorySegment to, CyclicBarrier start)
      throws BrokenBarrierException, InterruptedException {
    from.fill((byte) 1);
    for (int i = 0; i < WARM_UPS; i++) {
      to.copyFrom(from);
    }
    start.await();
    long begin = System.nanoTime();
    long copies = 0;
    long elapsed;
    do {
      to.copyFrom(from);
      copies++;
      elapsed = System.nanoTime() - begin;
    } while (elapsed < MEASURED_NANOS);
    return 2.0 * BYTES * copies / elapsed;
  }
}
