package dev.espalier.runtime.branch;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;

/// Workers of one job in one process, each in a thread, where one waits for the other.
public final class Together {
  private Together() {}

  /// Runs all and waits for them; one that fails ends the others, which would wait for it.
  ///
  /// @param threads of their own, at least as many; shut down when one fails
  public static void run(List<? extends Callable<?>> workers, ExecutorService threads) {
    var whole = new CompletableFuture<Void>();
    var running = new ArrayList<CompletableFuture<?>>();
    for (Callable<?> worker : workers) {
      running.add(CompletableFuture.runAsync(() -> call(worker), threads));
    }
    running.forEach(one ->
        one.whenComplete((_, failure) -> {
          if (failure != null && whole.completeExceptionally(failure)) {
            threads.shutdownNow();
          }
        }));
    CompletableFuture.allOf(running.toArray(CompletableFuture[]::new))
        .thenRun(() -> whole.complete(null));
    try {
      whole.join();
    } catch (CompletionException failure) {
      throw switch (failure.getCause()) {
        case RuntimeException cause -> cause;
        case Error cause -> throw cause;
        case null, default -> failure;
      };
    }
  }

  private static void call(Callable<?> worker) {
    try {
      worker.call();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new CompletionException(interrupted);
    } catch (RuntimeException failure) {
      throw failure;
    } catch (Exception failure) {
      throw new CompletionException(failure);
    }
  }
}
