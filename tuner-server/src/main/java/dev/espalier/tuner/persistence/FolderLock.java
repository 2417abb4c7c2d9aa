package dev.espalier.tuner.persistence;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The use of a folder by one server at a time. It ends with its process, however that ends.
public final class FolderLock implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FolderLock.class);

  private final Path file;
  private final FileChannel channel;

  private FolderLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /// Takes a folder for this process.
  ///
  /// @param file in the folder, by its lock; made where there is none
  /// @throws EspalierException `WRONG_STATE` when another server uses the folder, also one of this
  ///   process; one sentence
  public static FolderLock take(Path file) throws IOException {
    var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    boolean taken = false;
    try {
      taken = channel.tryLock() != null;
    } catch (OverlappingFileLockException _) {
      // Of this process.
    } finally {
      if (!taken) {
        channel.close();
      }
    }
    if (!taken) {
      throw new EspalierException(
          ErrorCode.WRONG_STATE,
          "another Espalier server already uses "
              + file.getParent()
              + "; stop it, or choose another home with ESPALIER_HOME");
    }
    return new FolderLock(file, channel);
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.warn("event=unlock-failed file={} message={}", file, e.getMessage());
    }
  }
}
