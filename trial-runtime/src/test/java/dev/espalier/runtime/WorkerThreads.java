package dev.espalier.runtime;

import dev.espalier.sdk.TrainingProgram;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Workers that attach by themselves, each in a thread of its own.
final class WorkerThreads implements AutoCloseable {
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(Thread.ofPlatform().daemon().name("worker-", 0).factory());
  private final List<Future<?>> workers = new ArrayList<>();

  private WorkerThreads() {}

  static WorkerThreads attach(ScriptedTuner tuner, Supplier<TrainingProgram> programs) {
    var all = new WorkerThreads();
    for (int worker = 0; worker < tuner.workers(); worker++) {
      all.workers.add(
          all.threads.submit(() -> {
            Espalier.attach(tuner.address(), ScriptedTuner.JOB, "token", programs.get());
            return null;
          }));
    }
    return all;
  }

  /// Waits until all have ended.
  ///
  /// @throws java.util.concurrent.ExecutionException what a worker ended with
  void awaitEnd() throws Exception {
    for (Future<?> worker : workers) {
      worker.get(60, TimeUnit.SECONDS);
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
