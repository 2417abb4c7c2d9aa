package dev.espalier.tuner.app.port;

import dev.espalier.api.rest.JobSpec;
import java.util.Optional;

/// Has a worker of this machine open the program of a job, and train nothing.
public interface JobTryout {
  /// {@return what came of it; empty where that takes too long to wait for}
  ///
  /// @param data real path of the job's data folder; empty for none
  Optional<Opened> open(JobSpec spec, String data);

  /// What opening a program tells.
  sealed interface Opened {
    /// A worker cannot open it.
    ///
    /// @param problem such as data that the program does not read, or an engine that is not here
    record Refused(String problem) implements Opened {}

    /// A worker can.
    ///
    /// @param trainingSamples of one pass, over all workers
    /// @param defaultBatchSize samples per worker and clock where a setting names none
    record Shaped(long trainingSamples, int defaultBatchSize) implements Opened {}
  }
}
