package dev.espalier.tuner.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DataRootsTest {
  @TempDir private Path folder;

  @Test
  void linksMayLeadToADataRootAndNowhereElse() throws Exception {
    Path root = Files.createDirectories(folder.resolve("data"));
    Path other = Files.createDirectories(folder.resolve("other").resolve("ratings"));
    Files.createSymbolicLink(root.resolve("ratings"), other);

    assertThat(new DataRoots(List.of(root, folder.resolve("other"))).resolve("ratings"))
        .isEqualTo(other.toRealPath());
    var roots = new DataRoots(List.of(root));
    assertThatThrownBy(() -> roots.resolve("ratings"))
        .hasMessage(
            "the folder ratings is a link that leads out of the server's data roots [%s]; name the"
                    .formatted(root)
                + " folder it leads to as a data root of its own");
    assertThatThrownBy(() -> roots.resolve("words"))
        .hasMessage(
            "there is no folder words below the server's data roots [%s]; known are ratings"
                .formatted(root));
  }
}
