package dev.espalier.ps.checkpoint;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/*
 * A manifest, little-endian:
 *
 *   8 bytes   magic "ESPALPS3"
 *   int       length of the description, then the description: text that must equal the shard's
 *   long x n  step counter of each table
 *   int       number of packs, then for each its file name: int length, UTF-8
 *   24 bytes  for each table, for each page: int pack, long offset in the pack, long bytes,
 *             int CRC32C of them
 *   8 bytes   magic "ESPALEND"
 *   long      length of the file
 *   int       CRC32C of everything before
 *
 * A pack holds pages one after the other behind the 8 bytes "ESPALPAG".
 *
 * Manifests with magic "ESPALPS2", in which the bytes of a page are an int, are read, too.
 */

/// What a checkpoint consists of: step counters, and where each page lies and what its checksum is.
///
/// @param description of the shard that wrote it
/// @param steps step counter of each table
/// @param packs names of the files with the pages, beside the manifest
/// @param entries of each page, table after table
record Manifest(byte[] description, long[] steps, List<String> packs, List<Entry> entries) {
  static final byte[] MAGIC = "ESPALPS3".getBytes(StandardCharsets.US_ASCII);
  static final byte[] EARLIER_MAGIC = "ESPALPS2".getBytes(StandardCharsets.US_ASCII);
  static final byte[] END_MAGIC = "ESPALEND".getBytes(StandardCharsets.US_ASCII);
  static final byte[] PACK_MAGIC = "ESPALPAG".getBytes(StandardCharsets.US_ASCII);
  private static final int ENTRY_BYTES = 24;
  private static final int TRAILER_BYTES = 20;

  /// Where a page lies.
  ///
  /// @param pack index in `packs`
  /// @param offset of its first byte in the pack
  /// @param crc CRC32C of its bytes
  record Entry(int pack, long offset, long bytes, int crc) {}

  ByteBuffer encode() {
    List<byte[]> names = packs.stream().map(name -> name.getBytes(StandardCharsets.UTF_8)).toList();
    int bytes =
        MAGIC.length
            + 4
            + description.length
            + 8 * steps.length
            + 4
            + names.stream().mapToInt(name -> 4 + name.length).sum()
            + ENTRY_BYTES * entries.size()
            + TRAILER_BYTES;
    ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    buffer.put(MAGIC).putInt(description.length).put(description);
    for (long step : steps) {
      buffer.putLong(step);
    }
    buffer.putInt(names.size());
    names.forEach(name -> buffer.putInt(name.length).put(name));
    for (Entry entry : entries) {
      buffer
          .putInt(entry.pack())
          .putLong(entry.offset())
          .putLong(entry.bytes())
          .putInt(entry.crc());
    }
    buffer.put(END_MAGIC).putLong(bytes);
    return buffer.putInt(crcOf(buffer.duplicate().flip())).flip();
  }

  /// Reads a manifest of a shard of this shape.
  ///
  /// @throws PsException `CHECKPOINT_CORRUPT` when it is not whole, or of another shape
  static Manifest read(Path file, CheckpointShape shape) {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    try {
      boolean isEarlier = requireWhole(file, in);
      return decode(file, in, shape, isEarlier);
    } catch (BufferUnderflowException | IllegalArgumentException | NegativeArraySizeException e) {
      throw new PsException(
          PsFault.CHECKPOINT_CORRUPT, "checkpoint %s is malformed: %s".formatted(file, e), e);
    }
  }

  /// {@return whether it has the earlier form}
  private static boolean requireWhole(Path file, ByteBuffer in) {
    byte[] magic = new byte[MAGIC.length];
    expect(
        in.remaining() >= MAGIC.length + TRAILER_BYTES, file, "a manifest", in.limit(), " bytes");
    in.get(magic);
    boolean isEarlier = Arrays.equals(magic, EARLIER_MAGIC);
    expect(isEarlier || Arrays.equals(magic, MAGIC), file, "magic ESPALPS3", text(magic), "");
    ByteBuffer end = in.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    end.position(in.limit() - TRAILER_BYTES);
    end.get(magic);
    expect(Arrays.equals(magic, END_MAGIC), file, "trailer ESPALEND", text(magic), "");
    long length = end.getLong();
    expect(length == in.limit(), file, "%d bytes".formatted(length), in.limit(), " bytes");
    int computed = crcOf(in.duplicate().position(0).limit(in.limit() - 4));
    int stored = end.getInt();
    expect(computed == stored, file, "CRC32C %08x".formatted(stored), hex(computed), "");
    return isEarlier;
  }

  private static Manifest decode(
      Path file, ByteBuffer in, CheckpointShape shape, boolean isEarlier) {
    byte[] description = new byte[in.getInt()];
    in.get(description);
    byte[] wanted = shape.description();
    expect(Arrays.equals(description, wanted), file, text(wanted), text(description), "");
    long[] steps = new long[shape.tables().size()];
    for (int i = 0; i < steps.length; i++) {
      steps[i] = in.getLong();
    }
    List<String> packs = new ArrayList<>();
    int packCount = in.getInt();
    for (int i = 0; i < packCount; i++) {
      byte[] name = new byte[in.getInt()];
      in.get(name);
      packs.add(text(name));
    }
    List<Entry> entries = new ArrayList<>(shape.pageCount());
    for (int i = 0; i < shape.pageCount(); i++) {
      int pack = in.getInt();
      long offset = in.getLong();
      entries.add(new Entry(pack, offset, isEarlier ? in.getInt() : in.getLong(), in.getInt()));
    }
    expect(in.remaining() == TRAILER_BYTES, file, "the trailer", in.remaining(), " bytes");
    return new Manifest(description, steps, packs, entries);
  }

  /// A checkpoint of which a part cannot be read is damaged; not so when the part is there and this
  /// process cannot open it, for it has too many files open or may not: another one will.
  static PsException unreadable(Path file, IOException e) {
    boolean isThere = e instanceof FileSystemException && !(e instanceof NoSuchFileException);
    return new PsException(
        isThere ? PsFault.CHECKPOINT_UNREADABLE : PsFault.CHECKPOINT_CORRUPT,
        "checkpoint %s cannot be read: %s".formatted(file, e),
        e);
  }

  /// The name of a pack.
  ///
  /// @param file the manifest's, for messages
  String packName(int number, Path file) {
    expect(number >= 0 && number < packs.size(), file, "a pack", "number " + number, "");
    return packs.get(number);
  }

  static int crcOf(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.duplicate());
    return (int) crc.getValue();
  }

  static void expect(boolean holds, Path file, String expected, Object found, String unit) {
    if (!holds) {
      throw new PsException(
          PsFault.CHECKPOINT_CORRUPT,
          "checkpoint %s: expected %s but found %s%s".formatted(file, expected, found, unit));
    }
  }

  static String hex(int crc) {
    return "%08x".formatted(crc);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
