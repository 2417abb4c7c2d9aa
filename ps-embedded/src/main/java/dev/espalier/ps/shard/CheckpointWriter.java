package dev.espalier.ps.shard;

import dev.espalier.ps.branch.BranchPages;
import dev.espalier.ps.branch.Snapshot;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.zip.CRC32C;

/// Writes a snapshot to a file that is there completely or not at all.
///
/// The bytes go to a temporary file beside the target, are forced to the disk, and take the
/// target's name at once.
final class CheckpointWriter {
  private final List<TablePart> tables;
  private final byte[] description;
  private final CRC32C sums = new CRC32C();

  CheckpointWriter(ShardConfig config, List<TablePart> tables) {
    this.tables = tables;
    description = CheckpointLayout.describe(config, tables);
  }

  void write(Snapshot snapshot, Path file) {
    Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
    try {
      try (FileChannel channel =
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        writeHeader(channel, snapshot.pages());
        writePages(channel, snapshot.pages());
        writeTrailer(channel);
        channel.force(true);
      }
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      forceDirectory(file);
    } catch (IOException e) {
      PsException failure =
          new PsException(
              PsFault.CHECKPOINT_FAILED,
              "checkpoint of %s to %s could not be written: %s"
                  .formatted(snapshot.branch(), file, e),
              e);
      removeTemporary(temporary, failure);
      throw failure;
    }
  }

  private static void removeTemporary(Path temporary, PsException failure) {
    try {
      Files.deleteIfExists(temporary);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  /// Makes the new name survive a crash of the machine.
  private static void forceDirectory(Path file) throws IOException {
    Path directory = file.toAbsolutePath().getParent();
    if (directory != null) {
      try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }

  private void writeHeader(FileChannel channel, BranchPages pages) throws IOException {
    ByteBuffer header =
        CheckpointLayout.buffer(
            Math.toIntExact(CheckpointLayout.headerBytes(description.length, tables.size())));
    header.put(CheckpointLayout.MAGIC).putInt(CheckpointLayout.VERSION);
    header.putInt(description.length).put(description);
    for (TablePart table : tables) {
      header.putLong(pages.steps(table.index()));
    }
    int crc = CheckpointLayout.crcOf(header.duplicate().flip());
    CheckpointLayout.addTo(sums, crc);
    writeAll(channel, header.putInt(crc).flip());
  }

  private void writePages(FileChannel channel, BranchPages pages) throws IOException {
    for (TablePart table : tables) {
      for (int page = 0; page < table.layout().pageCount(); page++) {
        ByteBuffer bytes =
            pages
                .table(table.index())
                .page(page)
                .segment()
                .asSlice(0, CheckpointLayout.pageBytes(table))
                .asByteBuffer();
        int crc = CheckpointLayout.crcOf(bytes);
        CheckpointLayout.addTo(sums, crc);
        writeAll(channel, bytes);
        writeAll(channel, CheckpointLayout.buffer(CheckpointLayout.CRC_BYTES).putInt(crc).flip());
      }
    }
  }

  private void writeTrailer(FileChannel channel) throws IOException {
    ByteBuffer trailer = CheckpointLayout.buffer(CheckpointLayout.TRAILER_BYTES);
    trailer.put(CheckpointLayout.END_MAGIC);
    trailer.putLong(channel.position() + CheckpointLayout.TRAILER_BYTES);
    sums.update(trailer.duplicate().flip());
    writeAll(channel, trailer.putInt((int) sums.getValue()).flip());
  }

  private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
