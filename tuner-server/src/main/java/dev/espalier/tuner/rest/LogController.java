package dev.espalier.tuner.rest;

import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.app.port.WorkerLauncher;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
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
  private static final String TEXT = "text/plain;charset=UTF-8";
  private static final int MAX_LINES = 10_000;
  private static final int MAX_BYTES_PER_FILE = 1 << 20;

  /// Of all files together, however many generations there were, unless that leaves too little of
  /// each.
  private static final int MAX_BYTES = 16 << 20;

  private static final int MIN_BYTES_PER_FILE = 4 << 10;

  private final JobQueries queries;
  private final WorkerLauncher workers;
  private final LargeAnswers answers;

  LogController(JobQueries queries, WorkerLauncher workers, LargeAnswers answers) {
    this.queries = queries;
    this.workers = workers;
    this.answers = answers;
  }

  /// The last lines of each worker's log.
  @GetMapping(path = Lookups.JOB + "/logs", produces = TEXT)
  void logs(
      @PathVariable String job,
      @RequestParam(defaultValue = "200") int tail,
      HttpServletResponse response)
      throws IOException {
    Lookups.requireWithin("tail", tail, 1, MAX_LINES);
    Lookups.job(queries, job);
    List<Path> files = workers.logs(job);
    answers.give(() -> {
      response.setContentType(TEXT);
      var out = new OutputStreamWriter(response.getOutputStream(), StandardCharsets.UTF_8);
      write(files, tail, out);
      out.flush();
    });
  }

  private static void write(List<Path> files, int tail, Writer out) throws IOException {
    int mostBytes = Math.max(MIN_BYTES_PER_FILE, MAX_BYTES / Math.max(1, files.size()));
    for (Path file : files) {
      if (files.size() > 1) {
        out.write("==> " + file.getFileName() + " <==\n");
      }
      for (String line : last(file, tail, Math.min(mostBytes, MAX_BYTES_PER_FILE))) {
        out.write(line);
        out.write('\n');
      }
    }
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
