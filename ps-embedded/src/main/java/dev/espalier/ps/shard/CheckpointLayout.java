package dev.espalier.ps.shard;

import dev.espalier.ps.branch.PageLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.CRC32C;

/*
 * A checkpoint file, little-endian:
 *
 *   header   0  8 bytes   magic "ESPALPS1"
 *            8  int       version, 1
 *           12  int       length of the description in bytes
 *           16  ...       description: text that must equal that of the reading shard
 *            .  long x n  step counter of each table
 *            .  int       CRC32C of everything before
 *   pages       for each table, for each page: its planes, then int CRC32C of them
 *   trailer     8 bytes   magic "ESPALEND"
 *            .  long      length of the file in bytes
 *            .  int       CRC32C of the header's and all pages' CRC32C, as ints in file order, and
 *                         of the trailer before this
 */

/// The format of a checkpoint file of one shard and one branch.
final class CheckpointLayout {
  static final byte[] MAGIC = "ESPALPS1".getBytes(StandardCharsets.US_ASCII);
  static final byte[] END_MAGIC = "ESPALEND".getBytes(StandardCharsets.US_ASCII);
  static final int VERSION = 1;
  static final int DESCRIPTION_OFFSET = 16;
  static final int CRC_BYTES = 4;
  static final int TRAILER_BYTES = 20;

  private CheckpointLayout() {}

  /// What a shard must be to read the file: its place and the shape and rule of every table.
  static byte[] describe(ShardConfig config, List<TablePart> tables) {
    StringBuilder text = new StringBuilder();
    text.append("shard %d of %d".formatted(config.index(), config.workers()));
    for (TablePart table : tables) {
      PageLayout layout = table.layout();
      text.append(
          "%n%s; planes %d, rows per page %d, plane bytes %d"
              .formatted(table.spec(), layout.planes(), layout.rowsPerPage(), layout.planeBytes()));
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  static long pageBytes(TablePart table) {
    return table.layout().planes() * table.layout().planeBytes();
  }

  static long headerBytes(int descriptionBytes, int tables) {
    return DESCRIPTION_OFFSET + descriptionBytes + 8L * tables + CRC_BYTES;
  }

  static long fileBytes(int descriptionBytes, List<TablePart> tables) {
    long bytes = headerBytes(descriptionBytes, tables.size()) + TRAILER_BYTES;
    for (TablePart table : tables) {
      bytes += table.layout().pageCount() * (pageBytes(table) + CRC_BYTES);
    }
    return bytes;
  }

  static int crcOf(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate());
    return (int) crc.getValue();
  }

  /// Adds an int to a running checksum.
  static void addTo(CRC32C sums, int value) {
    sums.update(buffer(4).putInt(value).flip());
  }

  static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
