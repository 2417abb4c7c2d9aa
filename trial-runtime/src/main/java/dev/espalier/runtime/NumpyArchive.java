package dev.espalier.runtime;

import dev.espalier.sdk.ParameterTable;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// A NumPy archive (`.npz`): a zip of arrays, of which each is a header in Python's words and the
/// values (NumPy enhancement proposal 1, format version 1.0).
///
/// Parameters do not pack well, so they are stored as they are.
final class NumpyArchive implements AutoCloseable {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  private static final int ALIGNMENT = 64;
  private static final int VALUES_AT_A_TIME = 1 << 18;

  private final ZipOutputStream out;

  private NumpyArchive(ZipOutputStream out) {
    this.out = out;
    out.setLevel(Deflater.NO_COMPRESSION);
  }

  static NumpyArchive create(Path file) throws IOException {
    return new NumpyArchive(
        new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(file), 1 << 16)));
  }

  /// Adds a table as an array of 32-bit floats, rows x columns.
  void add(String name, ParameterTable table) throws IOException {
    begin(name, "<f4", table.rows() + ", " + table.columns());
    int rows = Math.max(1, VALUES_AT_A_TIME / table.columns());
    var values = new float[rows * table.columns()];
    var bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (long first = 0; first < table.rows(); first += rows) {
      int count = (int) Math.min(rows, table.rows() - first);
      table.read(first, count, values, 0);
      bytes.asFloatBuffer().put(values, 0, count * table.columns());
      out.write(bytes.array(), 0, count * table.columns() * Float.BYTES);
    }
    out.closeEntry();
  }

  /// Adds texts as an array of as many characters each as the longest has.
  void add(String name, List<String> texts) throws IOException {
    int longest =
        Math.max(
            1,
            texts.stream().mapToInt(text -> text.codePointCount(0, text.length())).max().orElse(1));
    begin(name, "<U" + longest, texts.size() + ",");
    for (String text : texts) {
      var bytes = ByteBuffer.allocate(longest * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      text.codePoints().forEach(bytes::putInt);
      out.write(bytes.array());
    }
    out.closeEntry();
  }

  private void begin(String name, String type, String shape) throws IOException {
    out.putNextEntry(new ZipEntry(name + ".npy"));
    out.write(header(type, shape));
  }

  private static byte[] header(String type, String shape) {
    String words = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
    int unpadded = MAGIC.length + Short.BYTES + words.length() + 1;
    String text = words + " ".repeat(Math.floorMod(-unpadded, ALIGNMENT)) + "\n";
    return ByteBuffer.allocate(MAGIC.length + Short.BYTES + text.length())
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(MAGIC)
        .putShort((short) text.length())
        .put(text.getBytes(StandardCharsets.US_ASCII))
        .array();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
