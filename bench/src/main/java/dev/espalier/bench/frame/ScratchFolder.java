package dev.espalier.bench.frame;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;

/// A folder for one run's files, deleted with all that is in it.
public record ScratchFolder(Path path) implements AutoCloseable {
  /// Makes the folder.
  public ScratchFolder() {
    this(make());
  }

  private static Path make() {
    try {
      return Files.createTempDirectory("espalier-bench-");
    } catch (IOException e) {
      throw new UncheckedIOException("no folder for files", e);
    }
  }

  @Override
  public void close() {
    try (var files = Files.walk(path)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(path + " cannot be deleted", e);
    }
  }
}
