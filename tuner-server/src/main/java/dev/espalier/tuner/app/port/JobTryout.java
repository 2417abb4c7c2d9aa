package dev.espalier.tuner.app.port;

import dev.espalier.api.rest.JobSpec;
import java.util.Optional;

/// Has a worker of this machine open the program of a job, and train nothing.
public interface JobTryout {
  /// {@return why it cannot, such as data that the program does not read or an engine that is not
  /// here; empty where it can, and where that takes too long to wait for}
  ///
  /// @param data real path of the job's data folder; empty for none
  Optional<String> problem(JobSpec spec, String data);
}
