package dev.espalier.tuner.app.port;

import java.nio.file.Path;

/// The folders that jobs may read data from.
public interface DataFolders {
  /// {@return the real path of a job's data folder}
  ///
  /// @param data path relative to a data root, or an absolute path inside one
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` when it does not exist, is no
  ///   folder, or lies outside of every data root, links followed
  Path resolve(String data);
}
