package dev.espalier.cli.client;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/// Writes a file that takes its name once it is whole: what had that name stays until then, and for
/// good where writing fails. A link stays one, and what it leads to is written so. What is no plain
/// file, such as a pipe, a device or a link that leads nowhere, stays what it is, and has the file
/// written through it.
public final class FileAside {
  private FileAside() {}

  /// Writes the file that it is given.
  @FunctionalInterface
  public interface Writer {
    void write(Path aside) throws IOException;
  }

  /// Writes `file`. There must be room for a second one in its folder, or that of what it links to,
  /// or among the temporary files where it is no plain file.
  ///
  /// @return the bytes written
  /// @throws CommandFailure when it is a folder, or in a folder that is not there
  public static long write(Path file, Writer writer) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (Files.isDirectory(file)) {
      throw new CommandFailure(ExitStatus.USAGE, file + " is a folder, and must be a file");
    }
    if (folder == null || !Files.isDirectory(folder)) {
      throw new CommandFailure(ExitStatus.NOT_FOUND, "there is no folder " + folder);
    }
    if (Files.isRegularFile(file)) {
      return replace(file.toRealPath(), writer);
    }
    boolean isThere = Files.exists(file) || Files.isSymbolicLink(file);
    return isThere ? writeThrough(file, writer) : replace(file, writer);
  }

  private static long replace(Path file, Writer writer) throws IOException {
    Path aside = file.resolveSibling(file.getFileName() + ".part");
    try {
      writer.write(aside);
      Files.move(aside, file, StandardCopyOption.REPLACE_EXISTING);
      return Files.size(file);
    } finally {
      Files.deleteIfExists(aside);
    }
  }

  private static long writeThrough(Path file, Writer writer) throws IOException {
    Path aside = Files.createTempFile("espalier-", ".part");
    try {
      writer.write(aside);
      try (OutputStream out = Files.newOutputStream(file)) {
        return Files.copy(aside, out);
      }
    } finally {
      Files.deleteIfExists(aside);
    }
  }
}
