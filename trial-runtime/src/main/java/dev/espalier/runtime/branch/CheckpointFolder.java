package dev.espalier.runtime.branch;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.ps.checkpoint.CheckpointStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where one worker keeps its part of the job's checkpoints.
///
/// ```
/// <folder>/<checkpoint>/shard-<worker>.ckpt    parameters, written by the parameter server: what
/// <folder>/<checkpoint>/shard-<worker>.ckpt.<n>.pages   changed, and links to what did not
/// <folder>/<checkpoint>/place-<worker>.bin     magic u32 | version u32 | lineage clock i64
///                                              | position i64 | CRC32C of the 24 bytes before u32
/// ```
public final class CheckpointFolder {
  private static final int MAGIC = 0x45535050;
  private static final int VERSION = 1;
  private static final int BODY_BYTES = 24;
  private static final Logger log = LoggerFactory.getLogger(CheckpointFolder.class);
  private static final Pattern PLACE_NAME = Pattern.compile("place-(\\d{1,9})\\.bin");

  private final Path folder;
  private final int worker;

  /// @param worker whose part of each checkpoint this is
  public CheckpointFolder(Path folder, int worker) {
    this.folder = folder;
    this.worker = worker;
  }

  /// A branch's place in the data and in its lineage.
  public record Place(long lineageClock, long position) {}

  private Path folderOf(long checkpoint) {
    return folder.resolve(Long.toString(checkpoint));
  }

  public Path shardFile(long checkpoint) {
    return folderOf(checkpoint).resolve("shard-" + worker + ".ckpt");
  }

  private Path placeFile(long checkpoint) {
    return folderOf(checkpoint).resolve("place-" + worker + ".bin");
  }

  private Path placeAside(long checkpoint) {
    return folderOf(checkpoint).resolve("place-" + worker + ".bin.tmp");
  }

  /// Makes a place durable: written aside, forced, renamed.
  void writePlace(long checkpoint, Place place) throws IOException {
    Path file = placeFile(checkpoint);
    createDurably(folderOf(checkpoint).toAbsolutePath());
    Path aside = placeAside(checkpoint);
    try (FileChannel channel =
        FileChannel.open(
            aside,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer bytes = encode(place);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /// Makes a folder, and folders above it, whose names survive a crash of the machine: without them
  /// what is forced into it would be lost.
  private static void createDurably(Path folder) throws IOException {
    Path parent = folder.getParent();
    if (parent != null && Files.notExists(folder)) {
      createDurably(parent);
      Files.createDirectories(folder);
      CheckpointStore.forceFolderOf(folder);
    }
  }

  private static ByteBuffer encode(Place place) {
    ByteBuffer bytes = ByteBuffer.allocate(BODY_BYTES + 4);
    bytes.putInt(MAGIC).putInt(VERSION).putLong(place.lineageClock()).putLong(place.position());
    bytes.putInt(checksum(bytes.array()));
    return bytes.flip();
  }

  private static int checksum(byte[] bytes) {
    var crc = new CRC32C();
    crc.update(bytes, 0, BODY_BYTES);
    return (int) crc.getValue();
  }

  /// {@return the worker whose parts lie below a folder; empty when there are none, or several
  /// workers'}
  public static OptionalInt onlyWorkerIn(Path folder) {
    if (!Files.isDirectory(folder)) {
      return OptionalInt.empty();
    }
    try (Stream<Path> files = Files.walk(folder, 2)) {
      int[] workers =
          files
              .map(file -> PLACE_NAME.matcher(file.getFileName().toString()))
              .filter(Matcher::matches)
              .mapToInt(name -> Integer.parseInt(name.group(1)))
              .distinct()
              .limit(2)
              .toArray();
      return workers.length == 1 ? OptionalInt.of(workers[0]) : OptionalInt.empty();
    } catch (IOException | UncheckedIOException failure) {
      log.warn("{} cannot be searched for checkpoints: {}", folder, failure.getMessage());
      return OptionalInt.empty();
    }
  }

  /// @throws EspalierException `CHECKPOINT_MISSING` when nothing of this worker's part is there;
  ///   `CHECKPOINT_UNREADABLE` when it is there and cannot be opened; `CHECKPOINT_FAILED`, naming
  ///   the file and what is wrong with it
  public Place readPlace(long checkpoint) {
    Path file = placeFile(checkpoint);
    if (Files.notExists(file) && Files.notExists(shardFile(checkpoint))) {
      throw new EspalierException(
          ErrorCode.CHECKPOINT_MISSING,
          "worker %d has no checkpoint %d in %s".formatted(worker, checkpoint, folder));
    }
    try {
      byte[] bytes = Files.readAllBytes(file);
      if (bytes.length != BODY_BYTES + 4) {
        throw corrupt(file, "has " + bytes.length + " bytes but must have " + (BODY_BYTES + 4));
      }
      ByteBuffer in = ByteBuffer.wrap(bytes);
      if (in.getInt() != MAGIC || in.getInt() != VERSION) {
        throw corrupt(file, "is not a place file of version " + VERSION);
      }
      var place = new Place(in.getLong(), in.getLong());
      if (in.getInt() != checksum(bytes)) {
        throw corrupt(file, "has a wrong checksum");
      }
      return place;
    } catch (IOException failure) {
      boolean isThere =
          failure instanceof FileSystemException && !(failure instanceof NoSuchFileException);
      throw new EspalierException(
          isThere ? ErrorCode.CHECKPOINT_UNREADABLE : ErrorCode.CHECKPOINT_FAILED,
          file + " cannot be read: " + failure,
          failure);
    }
  }

  private static EspalierException corrupt(Path file, String what) {
    return new EspalierException(ErrorCode.CHECKPOINT_FAILED, file + " " + what);
  }

  /// Deletes this worker's part of a checkpoint, also one that it did not end; does nothing when
  /// there is none.
  void drop(long checkpoint) throws IOException {
    CheckpointStore.delete(shardFile(checkpoint));
    Files.deleteIfExists(placeFile(checkpoint));
    Files.deleteIfExists(placeAside(checkpoint));
    try {
      Files.deleteIfExists(folderOf(checkpoint));
    } catch (java.nio.file.DirectoryNotEmptyException others) {
      // Another worker's part is still there; the last one to drop removes the folder.
    }
  }
}
