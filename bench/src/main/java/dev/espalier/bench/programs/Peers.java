package dev.espalier.bench.programs;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/// Finds programs and libraries of others, where they are installed.
final class Peers {
  private Peers() {}

  /// {@return the program, if it is on the PATH}
  static Optional<Path> program(String name) {
    return find(System.getenv().getOrDefault("PATH", ""), name, Files::isExecutable);
  }

  /// {@return the shared library, if it lies where the system keeps them or on the LD_LIBRARY_PATH}
  static Optional<Path> library(String name) {
    return find(
        System.getProperty("java.library.path"), System.mapLibraryName(name), Files::isReadable);
  }

  private static Optional<Path> find(String folders, String name, Predicate<Path> isUsable) {
    return Arrays.stream(folders.split(Pattern.quote(File.pathSeparator)))
        .map(folder -> Path.of(folder, name))
        .filter(isUsable)
        .findFirst();
  }
}
