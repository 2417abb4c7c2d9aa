package dev.espalier.bench.tuning;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;

/// A folder for one run's checkpoints, deleted with all that is in it.
record ScratchFolder(Path path) implements AutoCloseable {
  ScratchFolder() {
    this(make());
  }

  private static Path make() {
    try {
      return Files.createTempDirectory("espalier-bench-");
    } catch (IOException e) {
      throw new UncheckedIOException("no folder for checkpoints", e);
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
