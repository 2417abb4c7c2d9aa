package dev.espalier.tuner.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A file that a process appends to is emptied under its hands.
class LogRollerTest {
  @TempDir Path folder;

  @Test
  void writerGoesOnAtTheNewEnd() throws IOException {
    Path file = folder.resolve("worker-0-generation-1.log");
    try (OutputStream writer = new FileOutputStream(file.toFile(), true);
        var roller = new LogRoller(this::files, 10)) {
      print(writer, "short\n");
      roller.rollAll();
      assertThat(file).hasContent("short\n");

      print(writer, "now too long\n");
      roller.rollAll();
      print(writer, "later\n");

      assertThat(file).hasContent("later\n");
      assertThat(LogRoller.earlier(file))
          .hasFileName("worker-0-generation-1.0.log")
          .hasContent("short\nnow too long\n");

      roller.rollAll();
      assertThat(files()).as("what was rolled is not rolled again").hasSize(2);
    }
  }

  @Test
  void fileThatIsGoneHoldsUpNoOther() throws IOException {
    Path file = Files.writeString(folder.resolve("a.log"), "longer than ten bytes");
    try (var roller = new LogRoller(() -> List.of(folder.resolve("none.log"), file), 10)) {
      roller.rollAll();
    }
    assertThat(file).isEmptyFile();
  }

  /// A folder goes while it is listed: the next time must come all the same.
  @Test
  void filesThatCannotBeFoundEndNoSchedule() {
    try (var roller =
        new LogRoller(
            () -> {
              throw new UncheckedIOException(new IOException("gone"));
            },
            10)) {
      assertThatCode(roller::rollAll).doesNotThrowAnyException();
    }
  }

  private List<Path> files() {
    try (var files = Files.list(folder)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void print(OutputStream writer, String text) throws IOException {
    writer.write(text.getBytes(StandardCharsets.UTF_8));
  }
}
