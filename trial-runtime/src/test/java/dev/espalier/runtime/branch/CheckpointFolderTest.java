package dev.espalier.runtime.branch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointFolderTest {
  private static final CheckpointFolder.Place PLACE = new CheckpointFolder.Place(123, 45_678);
  @TempDir Path folder;

  @Test
  void placeIsReadBackAsWritten() throws Exception {
    var checkpoints = new CheckpointFolder(folder, 1);

    checkpoints.writePlace(7, PLACE);

    assertThat(checkpoints.readPlace(7)).isEqualTo(PLACE);
  }

  @Test
  void everyFlippedByteIsFound() throws Exception {
    var checkpoints = new CheckpointFolder(folder, 1);
    checkpoints.writePlace(7, PLACE);
    Path file = folder.resolve("7").resolve("place-1.bin");
    byte[] good = Files.readAllBytes(file);

    for (int i = 0; i < good.length; i++) {
      byte[] bad = good.clone();
      bad[i] ^= 0x10;
      Files.write(file, bad);
      assertThatThrownBy(() -> checkpoints.readPlace(7))
          .isInstanceOf(EspalierException.class)
          .hasMessageContaining("place-1.bin");
    }
  }

  @Test
  void tornFileIsFound() throws Exception {
    var checkpoints = new CheckpointFolder(folder, 0);
    checkpoints.writePlace(7, PLACE);
    Path file = folder.resolve("7").resolve("place-0.bin");
    Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 20));

    assertThatThrownBy(() -> checkpoints.readPlace(7)).hasMessageContaining("has 20 bytes");
  }

  @Test
  void partThatIsNotThereIsMissingAndNotDamaged() throws Exception {
    var checkpoints = new CheckpointFolder(folder, 0);
    new CheckpointFolder(folder, 1).writePlace(7, PLACE);

    assertFails(checkpoints, ErrorCode.CHECKPOINT_MISSING, "worker 0 has no checkpoint 7");

    Files.createFile(checkpoints.shardFile(7));

    assertFails(checkpoints, ErrorCode.CHECKPOINT_FAILED, "place-0.bin");
  }

  private static void assertFails(CheckpointFolder checkpoints, ErrorCode code, String words) {
    assertThatThrownBy(() -> checkpoints.readPlace(7))
        .isInstanceOfSatisfying(
            EspalierException.class, failure -> assertThat(failure.code()).isEqualTo(code))
        .hasMessageContaining(words);
  }

  @Test
  void folderTellsWhoseItIsWhileItHasPartsOfOneWorkerOnly() throws Exception {
    assertThat(CheckpointFolder.onlyWorkerIn(folder)).isEmpty();
    assertThat(CheckpointFolder.onlyWorkerIn(folder.resolve("none"))).isEmpty();

    new CheckpointFolder(folder, 3).writePlace(7, PLACE);
    new CheckpointFolder(folder, 3).writePlace(8, PLACE);
    assertThat(CheckpointFolder.onlyWorkerIn(folder)).hasValue(3);

    new CheckpointFolder(folder, 0).writePlace(8, PLACE);
    assertThat(CheckpointFolder.onlyWorkerIn(folder)).isEmpty();
  }

  /// A worker that is killed leaves what it was writing.
  @Test
  void dropTakesHalfWrittenFilesAlong() throws Exception {
    var checkpoints = new CheckpointFolder(folder, 0);
    checkpoints.writePlace(7, PLACE);
    for (String name : List.of("place-0.bin.tmp", "shard-0.ckpt.tmp", "shard-0.ckpt.1.pages")) {
      Files.createFile(folder.resolve("7").resolve(name));
    }

    checkpoints.drop(7);

    assertThat(folder.resolve("7")).doesNotExist();
  }

  @Test
  void dropLeavesOtherWorkersPartsAlone() throws Exception {
    var first = new CheckpointFolder(folder, 0);
    var second = new CheckpointFolder(folder, 1);
    first.writePlace(7, PLACE);
    second.writePlace(7, PLACE);

    first.drop(7);

    assertThat(second.readPlace(7)).isEqualTo(PLACE);
    second.drop(7);
    assertThat(folder.resolve("7")).doesNotExist();
  }
}
