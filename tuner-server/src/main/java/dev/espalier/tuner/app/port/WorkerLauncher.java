package dev.espalier.tuner.app.port;

import dev.espalier.api.rest.JobSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/// Starts and ends the worker processes of a job.
public interface WorkerLauncher {
  /// Starts all workers of a generation.
  ///
  /// @param secret what they must show when they attach; never logged
  /// @param onExit called once per worker that ends, with its number and exit status
  void launch(String job, JobSpec spec, int generation, String secret, ExitListener onExit);

  /// {@return whether workers of a job were started, by whichever server, since all were ended
  /// last; also where that cannot be seen}
  boolean hasStarted(String job);

  /// Takes over the workers of a job that an earlier server started.
  ///
  /// @param onExit called once per worker that ends, some seconds later at most, and at once for
  ///   one that is not there; not for one of which that cannot be seen
  void watch(String job, int workers, ExitListener onExit);

  /// Ends all workers of a job at once; does nothing when there are none.
  void kill(String job);

  /// Removes what an ended job has on this machine: checkpoints and logs. May be called again.
  ///
  /// @throws dev.espalier.api.model.EspalierException `INTERNAL` when some of it cannot be removed
  void discard(String job);

  /// {@return the log files of a job's workers, oldest first}
  List<Path> logs(String job);

  /// Hears of workers that ended.
  @FunctionalInterface
  interface ExitListener {
    /// @param status empty for a worker that an earlier server started
    void exited(int worker, OptionalInt status);
  }
}
