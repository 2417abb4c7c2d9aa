package dev.espalier.bench.tuning;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/// Some threads that run simulations, each simulation in one of them, with a progress line.
final class Pool implements AutoCloseable {
  private final ExecutorService threads;
  private final ProgressLine progress;

  /// @param jobs how many simulations run at once, >= 1
  Pool(int jobs, ProgressLine progress) {
    this.threads = Executors.newFixedThreadPool(jobs, task -> new Thread(task, "simulation"));
    this.progress = progress;
  }

  /// Starts all of `work`.
  ///
  /// @param title for the progress line
  /// @return the results in the order of `work`; asking for one waits for it, and throws what its
  ///   work threw
  <T> List<Supplier<T>> inOrder(String title, List<Supplier<T>> work) {
    progress.begin(title, work.size());
    var results = new ArrayList<Supplier<T>>();
    for (Supplier<T> each : work) {
      Future<T> future =
          threads.submit(() -> {
            T result = each.get();
            progress.done();
            return result;
          });
      results.add(() -> await(future));
    }
    return results;
  }

  private static <T> T await(Future<T> future) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause
          ? cause
          : new IllegalStateException(e.getCause());
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
