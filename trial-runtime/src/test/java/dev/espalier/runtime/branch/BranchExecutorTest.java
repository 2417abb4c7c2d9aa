package dev.espalier.runtime.branch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.Communication;
import dev.espalier.api.model.HeldOut;
import dev.espalier.runtime.link.TunerLink.Assignment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BranchExecutorTest {
  @TempDir private Path folder;

  private static Assignment assignment(String data) {
    return new Assignment(
        1,
        0,
        1,
        "p",
        Map.of(),
        data,
        7,
        "",
        HeldOut.NOTHING,
        Communication.PLAIN,
        0,
        Duration.ZERO);
  }

  @Test
  void missingDataFolderIsNamedByItsWholePath() {
    assertThatThrownBy(() -> BranchExecutor.environment(assignment("no/corpus")))
        .hasMessage(
            "%s: expected the data folder of the job but there is none"
                .formatted(Path.of("no/corpus").toAbsolutePath()));
  }

  @Test
  void programsGetTheDataFolderOrNone() {
    assertThat(BranchExecutor.environment(assignment(folder.toString())).data()).contains(folder);
    assertThat(BranchExecutor.environment(assignment("")).data()).isEmpty();
  }
}
