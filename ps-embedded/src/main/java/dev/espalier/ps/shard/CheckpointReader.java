package dev.espalier.ps.shard;

import dev.espalier.ps.branch.BranchPages;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.memory.Page;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/// Reads a checkpoint file and believes nothing that a checksum does not confirm.
final class CheckpointReader {
  private final List<TablePart> tables;
  private final byte[] description;
  private final CRC32C sums = new CRC32C();

  CheckpointReader(ShardConfig config, List<TablePart> tables) {
    this.tables = tables;
    description = CheckpointLayout.describe(config, tables);
  }

  /// Reads a file into pages of a branch.
  void read(Path file, BranchPages pages) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      readHeader(file, channel, pages);
      readPages(file, channel, pages);
      readTrailer(file, channel);
    } catch (IOException e) {
      throw new PsException(
          PsFault.CHECKPOINT_CORRUPT, "checkpoint %s cannot be read: %s".formatted(file, e), e);
    }
  }

  private void readHeader(Path file, FileChannel channel, BranchPages pages) throws IOException {
    ByteBuffer start = read(file, channel, CheckpointLayout.DESCRIPTION_OFFSET, "header");
    byte[] magic = new byte[CheckpointLayout.MAGIC.length];
    start.get(magic);
    expect(Arrays.equals(magic, CheckpointLayout.MAGIC), file, "magic ESPALPS1", text(magic));
    int version = start.getInt();
    expect(
        version == CheckpointLayout.VERSION, file, "version " + CheckpointLayout.VERSION, version);
    int length = start.getInt();
    long left = channel.size() - CheckpointLayout.DESCRIPTION_OFFSET;
    expect(
        length >= 0 && length <= left,
        file,
        "description of at most %d bytes".formatted(left),
        length);
    ByteBuffer rest =
        read(file, channel, length + 8 * tables.size() + CheckpointLayout.CRC_BYTES, "header");
    byte[] found = new byte[length];
    rest.get(found);
    expect(Arrays.equals(found, description), file, text(description), text(found));
    for (TablePart table : tables) {
      pages.setSteps(table.index(), rest.getLong());
    }
    CRC32C crc = new CRC32C();
    crc.update(start.rewind());
    crc.update(rest.duplicate().flip());
    expectCrc(file, "header", (int) crc.getValue(), rest.getInt());
    expectSize(file, channel);
  }

  private void expectSize(Path file, FileChannel channel) throws IOException {
    long expected = CheckpointLayout.fileBytes(description.length, tables);
    expect(channel.size() == expected, file, expected + " bytes", channel.size() + " bytes");
  }

  private void readPages(Path file, FileChannel channel, BranchPages pages) throws IOException {
    for (TablePart table : tables) {
      PageTable pageTable = pages.table(table.index());
      for (int index = 0; index < table.layout().pageCount(); index++) {
        Page target = pageTable.target(index);
        ByteBuffer bytes =
            target.segment().asSlice(0, CheckpointLayout.pageBytes(table)).asByteBuffer();
        pageTable.install(index, target);
        String what = "page %d of table '%s'".formatted(index, table.spec().name());
        fill(file, channel, bytes, what);
        int stored = read(file, channel, CheckpointLayout.CRC_BYTES, what).getInt();
        expectCrc(file, what, CheckpointLayout.crcOf(bytes.flip()), stored);
      }
    }
  }

  private void readTrailer(Path file, FileChannel channel) throws IOException {
    ByteBuffer trailer = read(file, channel, CheckpointLayout.TRAILER_BYTES, "trailer");
    ByteBuffer summed = trailer.duplicate().limit(trailer.limit() - CheckpointLayout.CRC_BYTES);
    byte[] magic = new byte[CheckpointLayout.END_MAGIC.length];
    trailer.get(magic);
    expect(Arrays.equals(magic, CheckpointLayout.END_MAGIC), file, "trailer ESPALEND", text(magic));
    long length = trailer.getLong();
    expect(length == channel.size(), file, "a file of %d bytes".formatted(length), channel.size());
    sums.update(summed);
    expect((int) sums.getValue() == trailer.getInt(), file, "the whole file's checksum", "another");
  }

  private static ByteBuffer read(Path file, FileChannel channel, int bytes, String what)
      throws IOException {
    ByteBuffer buffer = CheckpointLayout.buffer(bytes);
    fill(file, channel, buffer, what);
    return buffer.flip();
  }

  private static void fill(Path file, FileChannel channel, ByteBuffer buffer, String what)
      throws IOException {
    while (buffer.hasRemaining()) {
      expect(channel.read(buffer) >= 0, file, what, "the end of the file");
    }
  }

  private void expectCrc(Path file, String what, int computed, int stored) {
    expect(
        computed == stored,
        file,
        "%s with CRC32C %08x".formatted(what, stored),
        "%08x".formatted(computed));
    CheckpointLayout.addTo(sums, stored);
  }

  private static void expect(boolean holds, Path file, String expected, Object found) {
    if (!holds) {
      throw new PsException(
          PsFault.CHECKPOINT_CORRUPT,
          "checkpoint %s: expected %s but found %s".formatted(file, expected, found));
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
