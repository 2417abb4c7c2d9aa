package dev.espalier.data;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/// A folder that holds the files of a data set, each either plain or packed with gzip.
///
/// A file is asked for by its plain name: `u1.base` is found as `u1.base`, as `u1.base.gz`, or as a
/// file of this name inside one of the folder's zip archives, whatever the folder inside it, in
/// this order.
///
/// @param path an existing folder
public record DataFolder(Path path) {
  private static final String PACKED = ".gz";
  private static final String ARCHIVE = ".zip";

  /// @throws EspalierException `INVALID_DATA` when there is no such folder
  public DataFolder {
    if (!Files.isDirectory(path)) {
      throw new EspalierException(
          ErrorCode.INVALID_DATA, path + ": expected a data folder but there is none");
    }
  }

  /// {@return the file of this plain name, if the folder has it}
  ///
  /// @throws EspalierException `INVALID_JOB` when the name has a path separator or is `.` or `..`
  public Optional<DataFile> find(String name) {
    requirePlainName(name);
    for (String candidate : List.of(name, name + PACKED)) {
      Path file = path.resolve(candidate);
      if (Files.isRegularFile(file)) {
        return Optional.of(new DataFile(file));
      }
    }
    return archives().flatMap(archive -> entry(archive, name).stream()).findFirst();
  }

  private Stream<Path> archives() {
    try (var files = Files.list(path)) {
      return files.filter(file -> file.toString().endsWith(ARCHIVE)).sorted().toList().stream();
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  private static Optional<DataFile> entry(Path archive, String name) {
    return entries(archive).stream()
        .filter(entry -> lastPart(entry).equals(name))
        .findFirst()
        .map(entry -> new DataFile(archive, Optional.of(entry)));
  }

  private static String lastPart(String entry) {
    return entry.substring(entry.lastIndexOf('/') + 1);
  }

  /// {@return the files in an archive, with the folders inside it}
  private static List<String> entries(Path archive) {
    try (var zip = new ZipFile(archive.toFile())) {
      return zip.stream().filter(entry -> !entry.isDirectory()).map(ZipEntry::getName).toList();
    } catch (IOException e) {
      throw new DataFile(archive).invalid("expected a zip archive but: " + e.getMessage());
    }
  }

  private EspalierException unreadable(IOException cause) {
    return new EspalierException(
        ErrorCode.INVALID_DATA, path + ": the folder cannot be read: " + cause.getMessage(), cause);
  }

  /// {@return the file of this plain name}
  ///
  /// @throws EspalierException `INVALID_DATA` when the folder has no such file; `INVALID_JOB` when
  ///   the name has a path separator or is `.` or `..`
  public DataFile require(String name) {
    return find(name)
        .orElseThrow(() ->
            new EspalierException(
                ErrorCode.INVALID_DATA,
                path
                    + ": expected a file "
                    + name
                    + " or "
                    + name
                    + PACKED
                    + " but the folder has neither"));
  }

  /// {@return the plain names of the files of the folder, in name order; where it has nothing but
  /// archives, of the files inside them. Hidden files, whose names begin with a dot, are left out}
  public List<String> names() {
    try (var files = Files.list(path)) {
      List<String> plain =
          sorted(
              files
                  .filter(Files::isRegularFile)
                  .map(file -> String.valueOf(file.getFileName()))
                  .filter(name -> !name.endsWith(ARCHIVE))
                  .map(DataFolder::plainName));
      return plain.isEmpty()
          ? sorted(
              archives().flatMap(archive -> entries(archive).stream()).map(DataFolder::lastPart))
          : plain;
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  private static List<String> sorted(Stream<String> names) {
    return names.filter(name -> !name.startsWith(".")).distinct().sorted().toList();
  }

  /// {@return the plain name of the folder's only file}
  ///
  /// @param argument of the program that can name the file, for the message
  /// @throws EspalierException `INVALID_DATA` when there is none, or more than one
  public String onlyName(String argument) {
    List<String> names = names();
    if (names.size() != 1) {
      throw new EspalierException(
          ErrorCode.INVALID_DATA,
          path
              + ": expected one file, or its name in the argument "
              + argument
              + ", but the folder has "
              + names);
    }
    return names.getFirst();
  }

  private static String plainName(String name) {
    return name.endsWith(PACKED) ? name.substring(0, name.length() - PACKED.length()) : name;
  }

  private static void requirePlainName(String name) {
    boolean separated = name.indexOf('/') >= 0 || name.indexOf('\\') >= 0;
    boolean special = name.isBlank() || name.equals(".") || name.equals("..");
    if (separated || special || name.indexOf('\0') >= 0) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB,
          "a data file must be named by a plain file name without separators but is \""
              + name
              + "\"");
    }
  }
}
