package dev.espalier.data;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.nio.file.Path;
import java.util.Optional;

/// One file of a data set; gzip is recognised by its first bytes, not by its name.
///
/// @param path where it lies
/// @param entry its name in the zip archive at `path`; empty for a file of its own
public record DataFile(Path path, Optional<String> entry) {
  /// A file of its own.
  public DataFile(Path path) {
    this(path, Optional.empty());
  }

  /// {@return the content of the file, unpacked}
  ///
  /// @throws EspalierException `INVALID_DATA` when the file is missing, cut off, or larger than an
  ///   array of about 2^31 bytes
  public byte[] bytes() {
    try (var source = new ByteSource(this)) {
      return source.rest();
    }
  }

  /// {@return the first bytes of the file, unpacked; what comes behind them is not read}
  ///
  /// @param most how many, >= 0; fewer where the file has fewer
  /// @throws EspalierException `INVALID_DATA` when the file is missing or cut off before that
  public byte[] bytes(int most) {
    try (var source = new ByteSource(this)) {
      return source.rest(most);
    }
  }

  /// An error in a text file.
  ///
  /// @param line from 1
  /// @param expectation what was expected and what stands there instead
  EspalierException invalidLine(long line, String expectation) {
    return invalid("line " + line + ": " + expectation);
  }

  /// An error in a binary file.
  ///
  /// @param offset in the unpacked bytes, from 0
  /// @param expectation what was expected and what stands there instead
  EspalierException invalidByte(long offset, String expectation) {
    return invalid("byte " + offset + ": " + expectation);
  }

  /// {@return an `INVALID_DATA` that names this file}
  ///
  /// @param expectation what was expected and what is there instead
  public EspalierException invalid(String expectation) {
    return new EspalierException(
        ErrorCode.INVALID_DATA,
        path + entry.map(name -> " (" + name + ")").orElse("") + ": " + expectation);
  }
}
