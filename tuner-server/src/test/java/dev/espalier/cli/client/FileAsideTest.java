package dev.espalier.cli.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class FileAsideTest {
  @TempDir private Path folder;

  @Test
  void whatIsWrittenTakesTheNameOnceItIsWhole() throws IOException {
    Path file = Files.writeString(folder.resolve("model.npz"), "old");

    long bytes =
        FileAside.write(
            file,
            aside -> {
              Files.writeString(aside, "newer");
              assertThat(file).hasContent("old");
            });

    assertThat(bytes).isEqualTo(5);
    assertThat(file).hasContent("newer");
    assertThat(folder.toFile().list()).containsExactly("model.npz");
  }

  @Test
  void whatWasThereStaysWhereWritingFails() throws IOException {
    Path file = Files.writeString(folder.resolve("model.npz"), "old");

    assertThatThrownBy(() ->
            FileAside.write(
                file,
                aside -> {
                  Files.writeString(aside, "half");
                  throw new IOException("torn");
                }))
        .hasMessage("torn");

    assertThat(file).hasContent("old");
    assertThat(folder.toFile().list()).containsExactly("model.npz");
  }

  @Test
  void foldersAreRefused() {
    assertThatThrownBy(() -> FileAside.write(folder, _ -> {}))
        .isInstanceOf(CommandFailure.class)
        .hasMessageContaining("is a folder");
    assertThatThrownBy(() -> FileAside.write(folder.resolve("none/model.npz"), _ -> {}))
        .isInstanceOf(CommandFailure.class)
        .hasMessageContaining("there is no folder");
  }

  @Test
  void linkStaysALinkAndItsTargetIsWritten() throws IOException {
    Path file = Files.writeString(folder.resolve("model.npz"), "older");
    Path link = Files.createSymbolicLink(folder.resolve("link"), file.getFileName());
    Path ahead = Files.createSymbolicLink(folder.resolve("ahead"), Path.of("later.npz"));

    long bytes = FileAside.write(link, aside -> Files.writeString(aside, "new"));
    FileAside.write(ahead, aside -> Files.writeString(aside, "first"));

    assertThat(bytes).isEqualTo(3);
    assertThat(link).isSymbolicLink();
    assertThat(file).hasContent("new");
    assertThat(ahead).isSymbolicLink();
    assertThat(folder.resolve("later.npz")).hasContent("first");
  }

  /// The other name of the old file shows whether that was written into.
  @Test
  void whatALinkLeadsToIsReplacedOnceAllIsWritten() throws IOException {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Path file = Files.writeString(elsewhere.resolve("model.npz"), "old");
    Path other = Files.createLink(folder.resolve("other"), file);
    Path link = Files.createSymbolicLink(folder.resolve("link"), file);

    assertThatThrownBy(() ->
            FileAside.write(
                link,
                aside -> {
                  Files.writeString(aside, "half");
                  throw new IOException("torn");
                }))
        .hasMessage("torn");
    assertThat(file).hasContent("old");

    FileAside.write(link, aside -> Files.writeString(aside, "new"));

    assertThat(link).isSymbolicLink();
    assertThat(file).hasContent("new");
    assertThat(other).hasContent("old");
    assertThat(elsewhere.toFile().list()).containsExactly("model.npz");
  }

  @Test
  @Timeout(20)
  void readerOfAPipeGetsTheFile() throws Exception {
    Path pipe = folder.resolve("pipe");
    assumeThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    var read = CompletableFuture.supplyAsync(() -> read(pipe));

    FileAside.write(pipe, aside -> Files.writeString(aside, "whole"));

    assertThat(read.get(10, TimeUnit.SECONDS)).isEqualTo("whole");
    assertThat(Files.isRegularFile(pipe)).isFalse();
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
