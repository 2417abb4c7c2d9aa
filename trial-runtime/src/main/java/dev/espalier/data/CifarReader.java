package dev.espalier.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Reads files of the binary form of CIFAR-10: records of one label byte and a 32 x 32 image, the
/// bytes of one colour after those of another.
public final class CifarReader {
  /// Rows and columns of an image.
  public static final int SIDE = 32;

  /// Red, green, blue.
  public static final int COLOURS = 3;

  private static final int PIXELS = SIDE * SIDE;
  private static final int RECORD_BYTES = 1 + COLOURS * PIXELS;

  /// As many as an array of bytes has room for.
  private static final int MOST_IMAGES = (Integer.MAX_VALUE - 8) / (COLOURS * PIXELS);

  private CifarReader() {}

  /// Labelled colour images.
  ///
  /// @param count how many, >= 1
  /// @param pixels count x 32 x 32 x 3, each an unsigned byte: the colours of a pixel lie together
  /// @param labels one for each image
  public record Images(int count, byte[] pixels, byte[] labels) {}

  /// Reads the records of all files, in order.
  ///
  /// @param files at least one
  /// @param classes labels must lie in [0, classes)
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` with file and byte when a file
  ///   is missing, empty or cut off, a label is too large, or they have more than 699,050 images
  public static Images images(List<DataFile> files, int classes) {
    var records = new ArrayList<byte[]>();
    int count = 0;
    for (DataFile file : files) {
      byte[] bytes = records(file, classes);
      count = sum(count, bytes.length / RECORD_BYTES, file);
      records.add(bytes);
    }
    byte[] pixels = new byte[count * COLOURS * PIXELS];
    byte[] labels = new byte[count];
    int image = 0;
    for (byte[] bytes : records) {
      for (int at = 0; at < bytes.length; at += RECORD_BYTES) {
        labels[image] = bytes[at];
        interleave(bytes, at + 1, pixels, image * COLOURS * PIXELS);
        image++;
      }
    }
    return new Images(count, pixels, labels);
  }

  /// {@return the number of images when `file` has `more` and those before it have `before`}
  static int sum(int before, int more, DataFile file) {
    if (more > MOST_IMAGES - before) {
      throw file.invalid(
          String.format(
              Locale.ROOT,
              "expected at most %,d images in all files together but with this one there are %,d",
              MOST_IMAGES,
              (long) before + more));
    }
    return before + more;
  }

  private static byte[] records(DataFile file, int classes) {
    byte[] bytes = file.bytes();
    if (bytes.length == 0 || bytes.length % RECORD_BYTES != 0) {
      throw file.invalidByte(
          bytes.length,
          "expected whole records of " + RECORD_BYTES + " bytes but the file ends here");
    }
    for (int at = 0; at < bytes.length; at += RECORD_BYTES) {
      int label = bytes[at] & 0xff;
      if (label >= classes) {
        throw file.invalidByte(at, "label must lie in [0, " + (classes - 1) + "] but is " + label);
      }
    }
    return bytes;
  }

  private static void interleave(byte[] planes, int from, byte[] pixels, int to) {
    for (int pixel = 0; pixel < PIXELS; pixel++) {
      for (int colour = 0; colour < COLOURS; colour++) {
        pixels[to + pixel * COLOURS + colour] = planes[from + colour * PIXELS + pixel];
      }
    }
  }
}
