package dev.espalier.cli.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
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
}
