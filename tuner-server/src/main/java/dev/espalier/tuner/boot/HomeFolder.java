package dev.espalier.tuner.boot;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.tuner.persistence.FolderLock;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;

/// The folder of everything a server keeps; found before anything else, since the log is in it.
public final class HomeFolder {
  private static final String ARGUMENT = "--espalier.home=";

  /// Two files of the database's own log.
  private static final long LEAST_ROOM_BYTES = 32_000_000;

  private HomeFolder() {}

  /// {@return the home that arguments, environment or default name}
  static Path find(String[] arguments, Map<String, String> environment) {
    return named(arguments, environment).toAbsolutePath().normalize();
  }

  /// Makes the home where there is none, and takes it for this process before anything that another
  /// server may be using is touched, its log above all.
  ///
  /// @throws EspalierException one sentence when it cannot be written, or another server has it
  static FolderLock take(Path home) {
    try {
      if (!Files.isDirectory(home)) {
        Files.createDirectories(
            home,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
      }
      // Decisions, names and what users' programs print are nobody else's concern.
      Path logs = Files.createDirectories(home.resolve("logs"));
      Files.setPosixFilePermissions(logs, PosixFilePermissions.fromString("rwx------"));
      requireRoom(home);
      return FolderLock.take(home.resolve("server.lock"));
    } catch (FileAlreadyExistsException e) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST,
          e.getFile().equals(home.toString())
              ? "the home " + home + " is not a folder"
              : "the home " + home + " cannot be used: " + e.getFile() + " is not a folder",
          e);
    } catch (IOException e) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST,
          "the home "
              + home
              + " cannot be written ("
              + reason(e)
              + "); choose another one with ESPALIER_HOME",
          e);
    }
  }

  private static String reason(IOException failure) {
    return failure instanceof AccessDeniedException denied
        ? "no permission for " + denied.getFile()
        : String.valueOf(failure.getMessage());
  }

  /// Without room the database would not start, and could not even log why.
  private static void requireRoom(Path home) throws IOException {
    long bytes = Files.getFileStore(home).getUsableSpace();
    if (bytes < LEAST_ROOM_BYTES) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST,
          "the disk of the home %s must have at least %d MB of room but has %d MB; nothing was lost"
              .formatted(home, LEAST_ROOM_BYTES / 1_000_000, bytes / 1_000_000));
    }
  }

  private static Path named(String[] arguments, Map<String, String> environment) {
    String named = "";
    for (String argument : arguments) {
      if (argument.startsWith(ARGUMENT)) {
        named = argument.substring(ARGUMENT.length());
      }
    }
    return named.isBlank() ? of(environment) : expanded(named, environment);
  }

  /// {@return the home that the environment names, or the default: `.espalier` in the user's own}
  public static Path of(Map<String, String> environment) {
    String named = environment.getOrDefault("ESPALIER_HOME", "");
    return named.isBlank()
        ? userHome(environment).resolve(".espalier")
        : expanded(named, environment);
  }

  private static Path expanded(String named, Map<String, String> environment) {
    return named.startsWith("~/")
        ? userHome(environment).resolve(named.substring(2))
        : Path.of(named);
  }

  /// What a shell takes `~` for; Java's own property is what the system's list of users says.
  private static Path userHome(Map<String, String> environment) {
    String home = environment.getOrDefault("HOME", "");
    return Path.of(home.isBlank() ? System.getProperty("user.home") : home);
  }
}
