package dev.espalier.tuner.app.port;

import dev.espalier.api.rest.JobSpec;
import java.nio.file.Path;

/// Writes the parameters of a snapshot in a form that other programs understand.
public interface ModelExporter {
  /// Writes the tables of a durable snapshot as a NumPy archive, one array of rows x columns each.
  ///
  /// @param data real path of the job's data folder; empty for none
  /// @return a new file, which the caller deletes
  /// @throws dev.espalier.api.model.EspalierException `CHECKPOINT_FAILED` saying what is wrong
  Path export(String job, JobSpec spec, String data, long snapshot);
}
