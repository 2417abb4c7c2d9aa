package dev.espalier.cli.client;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/// Writes a file that takes its name once it is whole: what had that name stays until then, and for
/// good where writing fails.
public final class FileAside {
  private FileAside() {}

  /// Writes the file that it is given.
  @FunctionalInterface
  public interface Writer {
    void write(Path aside) throws IOException;
  }

  /// Writes `file`, in whose folder there must be room for a second one.
  ///
  /// @return its bytes
  /// @throws CommandFailure when it is a folder, or in a folder that is not there
  public static long write(Path file, Writer writer) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file)) {
      throw new CommandFailure(ExitStatus.USAGE, file + " is a folder, and must be a file");
    }
    if (folder == null || !Files.isDirectory(folder)) {
      throw new CommandFailure(ExitStatus.NOT_FOUND, "there is no folder " + folder);
    }
    Path aside = file.resolveSibling(file.getFileName() + ".part");
    try {
      writer.write(aside);
      Files.move(aside, file, StandardCopyOption.REPLACE_EXISTING);
      return Files.size(file);
    } finally {
      Files.deleteIfExists(aside);
    }
  }
}
