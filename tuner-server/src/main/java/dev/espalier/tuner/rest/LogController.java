package dev.espalier.tuner.rest;

import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.app.port.WorkerLauncher;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/// What a job's workers wrote.
@RestController
class LogController {
  private static final int MAX_LINES = 10_000;
  private static final int MAX_BYTES_PER_FILE = 1 << 20;

  /// Of all files together, however many generations there were, unless that leaves too little of
  /// each.
  private static final int MAX_BYTES = 16 << 20;

  private static final int MIN_BYTES_PER_FILE = 4 << 10;

  private final JobQueries queries;
  private final WorkerLauncher workers;

  LogController(JobQueries queries, WorkerLauncher workers) {
    this.queries = queries;
    this.workers = workers;
  }

  /// The last lines of each worker's log.
  @GetMapping(path = Lookups.JOB + "/logs", produces = "text/plain;charset=UTF-8")
  String logs(@PathVariable String job, @RequestParam(defaultValue = "200") int tail)
      throws IOException {
    Lookups.requireWithin("tail", tail, 1, MAX_LINES);
    Lookups.job(queries, job);
    List<Path> files = workers.logs(job);
    var text = new StringBuilder();
    int mostBytes = Math.max(MIN_BYTES_PER_FILE, MAX_BYTES / Math.max(1, files.size()));
    for (Path file : files) {
      if (files.size() > 1) {
        text.append("==> ").append(file.getFileName()).append(" <==\n");
      }
      last(file, tail, Math.min(mostBytes, MAX_BYTES_PER_FILE))
          .forEach(line -> text.append(line).append('\n'));
    }
    return text.toString();
  }

  private static List<String> last(Path file, int lines, int mostBytes) throws IOException {
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long start = Math.max(0, channel.size() - mostBytes);
      var bytes = ByteBuffer.allocate((int) Math.min(mostBytes, channel.size() - start));
      while (bytes.hasRemaining() && channel.read(bytes, start + bytes.position()) >= 0) {
        // Reads until the buffer is full or the file ends.
      }
      List<String> all =
          new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8).lines().toList();
      return all.subList(Math.max(0, all.size() - lines), all.size());
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }
}
