package dev.espalier.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Communication;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.Setting;
import dev.espalier.sdk.TrainingProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TrainedModelTest {
  private static final String PROGRAM = "pagerank";
  private static final BranchId ROOT = new BranchId(0);

  @TempDir Path folder;

  /// 4 is linked to by all others; there is no node 2.
  private Path data;

  @BeforeEach
  void writeACheckpoint() throws Exception {
    data = Files.createDirectory(folder.resolve("data"));
    Files.writeString(data.resolve("links.txt"), "1\t4\n3\t4\n7\t4\n4\t1\n");
    try (var worker =
        new LocalWorker(
            PROGRAM,
            Map.of(),
            Optional.of(data),
            HeldOut.NOTHING,
            Files.createDirectory(folder.resolve("checkpoints")))) {
      worker.say(new BranchCommand.Create(ROOT, Setting.of(Map.of("learningRate", 1.0))));
      worker.say(new BranchCommand.Checkpoint(ROOT, 1));
    }
  }

  private TrainedModel open(long checkpoint, TrainingProgram program) throws Exception {
    return TrainedModel.open(
        new TrainedModel.Request(
            PROGRAM,
            ProgramCatalog.named(PROGRAM).describe().argumentsWith(Map.of()),
            data.toString(),
            1,
            1,
            Communication.PLAIN,
            folder.resolve("checkpoints").toString(),
            checkpoint),
        program);
  }

  @Test
  void afterItsEndNoSessionIsLeftOpen() throws Exception {
    Path file = folder.resolve("model.npz");
    try (TrainingProgram program = ProgramCatalog.named(PROGRAM)) {
      TrainedModel model = open(1, program);
      model.write(file);
      model.close();

      assertThatThrownBy(() -> model.write(file)).hasMessage("the session of worker 0 is closed");
    }
    try (var zip = new ZipFile(file.toFile())) {
      assertThat(zip.stream().map(entry -> entry.getName())).contains("ranks.npy");
    }
  }

  @Test
  void checkpointThatIsNotThereIsSaid() {
    try (TrainingProgram program = ProgramCatalog.named(PROGRAM)) {
      assertThatThrownBy(() -> open(2, program)).isInstanceOf(EspalierException.class);
    }
  }
}
