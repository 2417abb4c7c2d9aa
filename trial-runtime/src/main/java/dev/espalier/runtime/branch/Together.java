package dev.espalier.runtime.branch;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;

/// Workers of one job in one process, each in a thread, where one waits for the other.
public final class Together {
  private Together() {}

  /// Runs all and waits for them; one that fails ends the others, which would wait for it. So does
  /// the caller's interruption. Either way the others have been interrupted when this returns, and
  /// may still be leaving: who closes what they use waits until `threads` have terminated.
  ///
  /// @param threads of their own, at least as many; shut down when one fails
  /// @throws InterruptedException when the caller was interrupted
  /// @throws CompletionException around a checked failure of a worker
  public static void run(List<? extends Callable<?>> workers, ExecutorService threads)
      throws InterruptedException {
    var ended = new ExecutorCompletionService<Object>(threads);
    boolean allDone = false;
    try {
      for (Callable<?> worker : workers) {
        ended.submit(worker::call);
      }
      for (int i = 0; i < workers.size(); i++) {
        ended.take().get();
      }
      allDone = true;
    } catch (ExecutionException failure) {
      throw switch (failure.getCause()) {
        case RuntimeException cause -> cause;
        case Error cause -> throw cause;
        case null, default -> new CompletionException(failure.getCause());
      };
    } finally {
      if (!allDone) {
        threads.shutdownNow();
      }
    }
  }
}
