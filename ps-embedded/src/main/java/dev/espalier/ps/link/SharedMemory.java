package dev.espalier.ps.link;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A file of two rings that two processes of one host map.
///
/// Its name is gone as soon as both have mapped it, so the system frees the memory when both have
/// ended, however they end. What a process leaves that is killed before that is deleted by the next
/// one that makes such a file.
///
/// @param name of the file, without folder
/// @param memory both rings; unmapped when nobody refers to it any more
record SharedMemory(String name, MemorySegment memory) {
  private static final Pattern NAME = Pattern.compile("espalier-(\\d+)-[0-9a-f-]{36}\\.ring");
  private static final long BYTES = 2 * MemoryRing.BYTES;
  private static final int ZEROS = 64 << 10;

  /// Where the system keeps files in memory, otherwise where temporary ones go.
  private static Path folder() {
    Path memory = Path.of("/dev/shm");
    return Files.isDirectory(memory) && Files.isWritable(memory)
        ? memory
        : Path.of(System.getProperty("java.io.tmpdir"));
  }

  /// Makes a file that only this user can open.
  ///
  /// @throws IOException also when the system has no room for it: a file that was only extended
  ///   would end the process at its first write
  static SharedMemory create() throws IOException {
    if (!FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
      throw new IOException("files of this system cannot be kept from other users");
    }
    deleteLeftOvers();
    String name = "espalier-%s-%s.ring".formatted(ProcessHandle.current().pid(), UUID.randomUUID());
    Path file = folder().resolve(name);
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      fill(channel);
      return new SharedMemory(
          name, channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES, Arena.ofAuto()));
    } catch (IOException | RuntimeException e) {
      Files.deleteIfExists(file);
      throw e;
    }
  }

  private static void fill(FileChannel channel) throws IOException {
    ByteBuffer zeros = ByteBuffer.allocateDirect(ZEROS);
    for (long left = BYTES; left > 0; ) {
      left -= channel.write(zeros.position(0).limit((int) Math.min(ZEROS, left)));
    }
  }

  /// Maps a file that another process made.
  ///
  /// @param name from that process; only names that [#create] gives are looked at
  static SharedMemory open(String name) throws IOException {
    if (!NAME.matcher(name).matches()) {
      throw new IOException("no shared memory is named " + name);
    }
    try (FileChannel channel =
        FileChannel.open(
            folder().resolve(name),
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            LinkOption.NOFOLLOW_LINKS)) {
      if (channel.size() != BYTES) {
        throw new IOException(
            "shared memory must have %d bytes but has %d".formatted(BYTES, channel.size()));
      }
      return new SharedMemory(
          name, channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES, Arena.ofAuto()));
    }
  }

  /// The ring from the process that made the file to the one that opened it.
  MemoryRing there() {
    return new MemoryRing(memory.asSlice(0, MemoryRing.BYTES));
  }

  /// The ring back.
  MemoryRing back() {
    return new MemoryRing(memory.asSlice(MemoryRing.BYTES, MemoryRing.BYTES));
  }

  /// Deletes the file's name; the memory stays for who has mapped it.
  void unlink() {
    try {
      Files.deleteIfExists(folder().resolve(name));
    } catch (IOException _) {
      // The next process that makes one deletes it.
    }
  }

  private static void deleteLeftOvers() {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder(), "espalier-*.ring")) {
      for (Path file : files) {
        Matcher name = NAME.matcher(file.getFileName().toString());
        if (name.matches() && ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty()) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException | RuntimeException _) {
      // Another user's, or gone already.
    }
  }
}
