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
    try (var workers = Executors.newFixedThreadPool(threads)) {
      var rates = new ArrayList<Future<Double>>();
      for (int i = 0; i < threads; i++) {
        rates.add(workers.submit(() -> copyRate(start)));
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

  private static double copyRate(CyclicBarrier start)
      throws BrokenBarrierException, InterruptedException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment from = arena.allocate(BYTES, 64).fill((byte) 1);
      MemorySegment to = arena.allocate(BYTES, 64);
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
}
