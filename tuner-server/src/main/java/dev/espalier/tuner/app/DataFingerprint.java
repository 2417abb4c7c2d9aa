package dev.espalier.tuner.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/// Tells whether two jobs train on the same data, without reading them.
///
/// A digest of names and sizes of all files. Data that change without changing a size are taken for
/// the same, which costs a job one race at most.
final class DataFingerprint {
  private static final int DEPTH = 8;
  private static final int MOST_FILES = 100_000;
  private static final int DIGITS = 32;

  private DataFingerprint() {}

  /// {@return the fingerprint of a folder, or of a file; empty for no folder, and for one that
  /// cannot be listed: whoever trains on it will say why}
  ///
  /// @param folder its path; empty for none
  static String of(String folder) {
    if (folder.isEmpty()) {
      return "";
    }
    Path root = Path.of(folder);
    try (Stream<Path> files = Files.walk(root, DEPTH)) {
      List<String> lines =
          files
              .filter(Files::isRegularFile)
              .limit(MOST_FILES)
              .map(file -> root.relativize(file) + " " + sizeBytes(file))
              .sorted()
              .toList();
      byte[] digest = Secrets.sha256(String.join("\n", lines));
      return HexFormat.of().formatHex(digest).substring(0, DIGITS);
    } catch (IOException | UncheckedIOException unreadable) {
      return "";
    }
  }

  private static long sizeBytes(Path file) {
    try {
      return Files.size(file);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
