package dev.espalier.tuner.boot;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.Suggestion;
import dev.espalier.tuner.app.port.DataFolders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// Data folders below the configured roots.
final class DataRoots implements DataFolders {
  /// Of so many entries of a root at most one may be what was meant.
  private static final int MOST_NAMED = 1_000;

  private final List<Path> roots;

  DataRoots(List<Path> roots) {
    this.roots = List.copyOf(roots);
  }

  @Override
  public Path resolve(String data) {
    boolean leadsOut = false;
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
        leadsOut = true;
      }
    } catch (InvalidPathException | IOException e) {
      throw invalid(data);
    }
    if (leadsOut) {
      throw new EspalierException(
          ErrorCode.INVALID_DATA,
          "the folder %s is a link that leads out of the server's data roots %s; name the folder it"
                  .formatted(data, roots)
              + " leads to as a data root of its own");
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
        "there is no folder "
            + data
            + " below the server's data roots "
            + roots
            + Suggestion.sentence(data, folders(), List.of()));
  }

  /// {@return the names of folders that lie in the roots themselves}
  private List<String> folders() {
    return roots.stream().flatMap(DataRoots::foldersOf).sorted().distinct().toList();
  }

  private static Stream<String> foldersOf(Path root) {
    try (Stream<Path> inside = Files.list(root)) {
      return inside
          .limit(MOST_NAMED)
          .filter(Files::isDirectory)
          .map(folder -> folder.getFileName().toString())
          .toList()
          .stream();
    } catch (IOException | UncheckedIOException e) {
      return Stream.of();
    }
  }
}
