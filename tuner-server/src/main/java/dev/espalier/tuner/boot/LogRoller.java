package dev.espalier.tuner.boot;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps what other processes print from filling the disk.
///
/// They append to their files, and may outlive this server, so a file that has grown too large is
/// copied and emptied in place: its writer goes on at the new end. Lines that are written between
/// the two are lost.
final class LogRoller implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LogRoller.class);
  private static final String EARLIER = ".0.log";
  private static final Duration EVERY = Duration.ofSeconds(20);

  private final Supplier<List<Path>> files;
  private final long mostBytes;
  private final ScheduledExecutorService executor =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("log-roller").factory());

  /// @param files that processes append to at the moment
  /// @param mostBytes of one of them
  LogRoller(Supplier<List<Path>> files, long mostBytes) {
    this.files = files;
    this.mostBytes = mostBytes;
  }

  void start() {
    var _ =
        executor.scheduleWithFixedDelay(
            this::rollAll, EVERY.toMillis(), EVERY.toMillis(), TimeUnit.MILLISECONDS);
  }

  /// Throws nothing: a schedule ends with the first failure.
  void rollAll() {
    try {
      files.get().forEach(this::rollIfLarge);
    } catch (RuntimeException failure) {
      log.warn("logs cannot be found: {}", failure.toString());
    }
  }

  private void rollIfLarge(Path file) {
    try {
      roll(file);
    } catch (NoSuchFileException _) {
      // Its process has not printed yet, or the job was removed.
    } catch (IOException | RuntimeException failure) {
      log.warn("{} cannot be rolled: {}", file, failure.getMessage());
    }
  }

  private void roll(Path file) throws IOException {
    boolean isEarlier = file.getFileName().toString().endsWith(EARLIER);
    if (isEarlier || Files.size(file) <= mostBytes) {
      return;
    }
    Files.copy(file, earlier(file), StandardCopyOption.REPLACE_EXISTING);
    try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(0);
    }
  }

  /// {@return where the part before the present one lies; sorts before it}
  static Path earlier(Path file) {
    String name = file.getFileName().toString();
    return file.resolveSibling(name.replaceFirst("\\.log$", "") + EARLIER);
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}
