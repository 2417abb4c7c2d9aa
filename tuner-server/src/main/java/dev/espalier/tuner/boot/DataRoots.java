package dev.espalier.tuner.boot;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.tuner.app.port.DataFolders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/// Data folders below the configured roots.
final class DataRoots implements DataFolders {
  private final List<Path> roots;

  DataRoots(List<Path> roots) {
    this.roots = List.copyOf(roots);
  }

  @Override
  public Path resolve(String data) {
    try {
      for (Path root : roots) {
        Path folder = root.resolve(data);
        if (!Files.isDirectory(root) || !Files.isDirectory(folder)) {
          continue;
        }
        Path real = folder.toRealPath();
        if (roots.stream().anyMatch(other -> contains(other, real))) {
          return real;
        }
      }
    } catch (InvalidPathException | IOException e) {
      throw invalid(data);
    }
    throw invalid(data);
  }

  private static boolean contains(Path root, Path real) {
    try {
      return Files.isDirectory(root) && real.startsWith(root.toRealPath());
    } catch (IOException e) {
      return false;
    }
  }

  private EspalierException invalid(String data) {
    return new EspalierException(
        ErrorCode.INVALID_DATA,
        "there is no folder " + data + " below the server's data roots " + roots);
  }
}
