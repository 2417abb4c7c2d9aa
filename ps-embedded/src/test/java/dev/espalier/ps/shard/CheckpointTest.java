package dev.espalier.ps.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.branch.Snapshot;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.kernel.ScalarRowKernels;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CheckpointTest {
  private static final BranchRef ROOT = new BranchRef(0);
  private static final List<TableSpec> TABLES =
      List.of(TableSpec.dense("a", 30, 3, "adam"), TableSpec.sparse("b", 5, 2, "sgd"));

  @TempDir private Path directory;
  private final Shard shard = shard(TABLES);
  private int nextBranch = 1;

  private static Shard shard(List<TableSpec> tables) {
    return new Shard(new ShardConfig(0, 1, 4096, 4096, 8 << 20), tables, new ScalarRowKernels());
  }

  @BeforeEach
  void createBranch() {
    shard.submit(new ShardCommand.Create(ROOT, 0)).join();
    float[] values = new float[90];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    RowBatch batch = new RowBatch(0, new RowSelection.Range(0, 30), values);
    shard.submit(new ShardCommand.Assign(ROOT, 0, List.of(batch))).join();
  }

  @AfterEach
  void nothingLeaks() {
    shard.submit(new ShardCommand.Free(ROOT, 0)).join();
    assertThat(shard.stats().pagesInUse()).isZero();
    shard.close();
  }

  private Path write() {
    Path file = directory.resolve("checkpoint");
    try (Snapshot snapshot = shard.snapshot(ROOT)) {
      shard.writeCheckpoint(snapshot, file);
    }
    return file;
  }

  private void isCorrupt(Path file, String what) {
    assertThatThrownBy(() -> shard.stageCheckpoint(new BranchRef(nextBranch), file))
        .as(what)
        .isInstanceOfSatisfying(
            PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.CHECKPOINT_CORRUPT))
        .hasMessageContaining(file.toString());
  }

  @Test
  void comesBackAsItWas() {
    BranchRef copy = new BranchRef(9);
    shard.stageCheckpoint(copy, write());
    shard.submit(new ShardCommand.Create(copy, 0)).join();
    ShardReply read =
        shard
            .submit(
                new ShardCommand.Read(
                    copy, 0, 0, Staleness.bulkSynchronous(), 0, new RowSelection.Range(29, 1)))
            .join();
    assertThat(((ShardReply.Rows) read).values()).containsExactly(87, 88, 89);
    shard.submit(new ShardCommand.Free(copy, 0)).join();
  }

  @Test
  void everyTruncationIsFound() throws IOException {
    Path file = write();
    byte[] bytes = Files.readAllBytes(file);
    for (int length = 0; length < bytes.length; length += 7) {
      Files.write(file, Arrays.copyOf(bytes, length));
      isCorrupt(file, "length " + length);
    }
    Files.write(file, Arrays.copyOf(bytes, bytes.length + 1));
    isCorrupt(file, "one byte too many");
  }

  @Test
  void everyFlippedBitIsFound() throws IOException {
    Path file = write();
    byte[] bytes = Files.readAllBytes(file);
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] ^= (byte) (1 << i % 8);
      Files.write(file, bytes);
      isCorrupt(file, "byte " + i);
      bytes[i] ^= (byte) (1 << i % 8);
    }
  }

  @Test
  void theMessageNamesWhatWasExpected() throws IOException {
    Path file = write();
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
    assertThatThrownBy(() -> shard.stageCheckpoint(new BranchRef(1), file))
        .hasMessageMatching(
            "checkpoint .*: expected page 0 of table 'a' with CRC32C .* but found .*");
  }

  @Test
  void otherTablesAreRefused() {
    Path file = write();
    try (Shard other = shard(List.of(TableSpec.dense("a", 31, 3, "adam")))) {
      assertThatThrownBy(() -> other.stageCheckpoint(ROOT, file))
          .isInstanceOf(PsException.class)
          .hasMessageContaining("rows=31")
          .hasMessageContaining("rows=30");
    }
  }

  @Test
  void aMissingFileIsReported() {
    isCorrupt(directory.resolve("nothing"), "no file");
  }

  @Test
  void aFullDiskLeavesTheOldFileAndNoTemporaryOne() throws IOException {
    Path file = write();
    byte[] before = Files.readAllBytes(file);
    Path temporary = directory.resolve("checkpoint.tmp");
    Files.createSymbolicLink(temporary, Path.of("/dev/full"));
    assertThatThrownBy(this::write)
        .isInstanceOfSatisfying(
            PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.CHECKPOINT_FAILED))
        .hasMessageContaining("No space left on device")
        .hasCauseInstanceOf(IOException.class);
    assertThat(Files.exists(temporary, LinkOption.NOFOLLOW_LINKS)).isFalse();
    assertThat(Files.readAllBytes(file)).isEqualTo(before);
    assertThatCode(this::write).doesNotThrowAnyException();
  }
}
