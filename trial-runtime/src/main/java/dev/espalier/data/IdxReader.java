package dev.espalier.data;

import java.io.IOException;
import java.nio.file.Files;

/// Reads files of the IDX format, in which MNIST and its relatives are published.
///
/// Layout: big-endian ints, then one byte per value. Images: 2051, count, rows, columns; labels:
/// 2049, count.
public final class IdxReader {
  private static final int IMAGES_MAGIC = 2051;
  private static final int LABELS_MAGIC = 2049;

  /* No gzip stream unpacks to more than this times its size, so a header that promises more is
   * refused before memory is asked for. */
  private static final long MAX_GZIP_RATIO = 1032;

  private IdxReader() {}

  /// Grey images.
  ///
  /// @param count how many, >= 1
  /// @param rows height in pixels, >= 1
  /// @param columns width in pixels, >= 1
  /// @param pixels count x rows x columns, each an unsigned byte
  public record Images(int count, int rows, int columns, byte[] pixels) {
    /// {@return pixels of one image}
    public int pixelsPerImage() {
      return rows * columns;
    }
  }

  /// Reads images.
  ///
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` with file and byte when the
  ///   file is missing, cut off, too long or no image file
  public static Images images(DataFile file) {
    try (var source = new ByteSource(file)) {
      requireMagic(file, source, IMAGES_MAGIC, "images");
      int count = positive(file, source, "image count");
      int rows = positive(file, source, "row count");
      int columns = positive(file, source, "column count");
      byte[] pixels = rest(file, source, (long) count * rows, columns);
      return new Images(count, rows, columns, pixels);
    }
  }

  /// Reads labels.
  ///
  /// @param classes labels must lie in [0, classes)
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` with file and byte when the
  ///   file is missing, cut off, too long or no label file, or a label is too large
  public static byte[] labels(DataFile file, int classes) {
    try (var source = new ByteSource(file)) {
      requireMagic(file, source, LABELS_MAGIC, "labels");
      int count = positive(file, source, "label count");
      long start = source.offset();
      byte[] labels = rest(file, source, count, 1);
      for (int i = 0; i < count; i++) {
        int label = labels[i] & 0xff;
        if (label >= classes) {
          throw file.invalidByte(
              start + i, "label must lie in [0, " + (classes - 1) + "] but is " + label);
        }
      }
      return labels;
    }
  }

  private static void requireMagic(DataFile file, ByteSource source, int magic, String content) {
    int found = integer(file, source, "magic number");
    if (found != magic) {
      throw file.invalidByte(
          0, "expected magic number " + magic + " of IDX " + content + " but found " + found);
    }
  }

  private static int positive(DataFile file, ByteSource source, String what) {
    long offset = source.offset();
    int value = integer(file, source, what);
    if (value < 1) {
      throw file.invalidByte(offset, what + " must be >= 1 but is " + value);
    }
    return value;
  }

  private static int integer(DataFile file, ByteSource source, String what) {
    byte[] bytes = new byte[Integer.BYTES];
    long offset = source.offset();
    int count = source.read(bytes);
    if (count < bytes.length) {
      throw file.invalidByte(
          offset + count, "expected the " + what + " (4 bytes) but the file ends here");
    }
    return (bytes[0] & 0xff) << 24
        | (bytes[1] & 0xff) << 16
        | (bytes[2] & 0xff) << 8
        | (bytes[3] & 0xff);
  }

  private static byte[] rest(DataFile file, ByteSource source, long units, int unitBytes) {
    long start = source.offset();
    double wanted = (double) units * unitBytes;
    double possible = Math.min((double) sizeBytes(file) * MAX_GZIP_RATIO, Integer.MAX_VALUE - 16);
    if (wanted > possible) {
      throw file.invalidByte(
          start, "the header promises %.0f bytes but the file cannot hold them".formatted(wanted));
    }
    byte[] values = new byte[(int) wanted];
    int count = source.read(values);
    if (count < values.length) {
      throw file.invalidByte(
          start + count,
          "expected " + values.length + " bytes after the header but the file ends after " + count);
    }
    if (source.next() >= 0) {
      throw file.invalidByte(
          start + count,
          "expected the end of the file after " + count + " bytes but there is more");
    }
    return values;
  }

  private static long sizeBytes(DataFile file) {
    try {
      return Files.size(file.path());
    } catch (IOException e) {
      throw file.invalid("cannot be read: " + e.getMessage());
    }
  }
}
