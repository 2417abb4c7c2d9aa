package dev.espalier.tuner.boot;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;

/// The folder of everything a server keeps; found before anything else, since the log is in it.
final class HomeFolder {
  private static final String ARGUMENT = "--espalier.home=";

  private HomeFolder() {}

  /// {@return the home that arguments, environment or default name, made and writable}
  static Path prepare(String[] arguments, Map<String, String> environment) {
    Path home = find(arguments, environment).toAbsolutePath().normalize();
    try {
      if (!Files.isDirectory(home)) {
        Files.createDirectories(
            home,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
      }
      Path probe = Files.createTempFile(home, ".write", null);
      Files.delete(probe);
      // Decisions, names and what users' programs print are nobody else's concern.
      Path logs = Files.createDirectories(home.resolve("logs"));
      Files.setPosixFilePermissions(logs, PosixFilePermissions.fromString("rwx------"));
    } catch (FileAlreadyExistsException e) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST, "the home " + home + " is not a folder", e);
    } catch (IOException e) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST,
          "the home " + home + " cannot be written; choose another one with ESPALIER_HOME",
          e);
    }
    return home;
  }

  private static Path find(String[] arguments, Map<String, String> environment) {
    String named = null;
    for (String argument : arguments) {
      if (argument.startsWith(ARGUMENT)) {
        named = argument.substring(ARGUMENT.length());
      }
    }
    if (named == null || named.isBlank()) {
      named = environment.get("ESPALIER_HOME");
    }
    Path user = Path.of(System.getProperty("user.home"));
    if (named == null || named.isBlank()) {
      return user.resolve(".espalier");
    }
    return named.startsWith("~/") ? user.resolve(named.substring(2)) : Path.of(named);
  }
}
