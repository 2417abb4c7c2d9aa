package dev.espalier.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Communication;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.Setting;
import dev.espalier.sdk.ForwardingProgram;
import dev.espalier.sdk.TrainingProgram;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
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
  }

  /// The nodes are 1, 3, 4 and 7; texts of an archive are in UTF-32.
  @Test
  void rowsAreNamedWhereTheProgramKnowsTheirNames() throws Exception {
    Path file = folder.resolve("model.npz");
    try (TrainingProgram program = ProgramCatalog.named(PROGRAM);
        TrainedModel model = open(1, program)) {
      model.write(file);
    }
    try (var zip = new ZipFile(file.toFile())) {
      assertThat(zip.stream().map(ZipEntry::getName))
          .containsExactly("ranks.npy", "ranks.rows.npy");
      byte[] rows = zip.getInputStream(zip.getEntry("ranks.rows.npy")).readAllBytes();
      int names = 4 * Integer.BYTES;
      assertThat(new String(rows, StandardCharsets.ISO_8859_1))
          .contains("'descr': '<U1'", "'shape': (4,)");
      assertThat(new String(rows, rows.length - names, names, Charset.forName("UTF-32LE")))
          .isEqualTo("1347");
    }
  }

  @Test
  void namesThatAreNotOneForEachRowAreRefused() throws Exception {
    try (TrainingProgram program = new Misnaming(ProgramCatalog.named(PROGRAM));
        TrainedModel model = open(1, program)) {
      assertThatThrownBy(() -> model.write(folder.resolve("model.npz")))
          .hasMessage("rowNames of table ranks must give 4 names, one for each row, but gives 1");
    }
  }

  private static final class Misnaming extends ForwardingProgram {
    Misnaming(TrainingProgram program) {
      super(program);
    }

    @Override
    public List<String> rowNames(String table) {
      return List.of("only");
    }
  }

  @Test
  void checkpointThatIsNotThereIsSaid() {
    try (TrainingProgram program = ProgramCatalog.named(PROGRAM)) {
      assertThatThrownBy(() -> open(2, program)).isInstanceOf(EspalierException.class);
    }
  }
}
