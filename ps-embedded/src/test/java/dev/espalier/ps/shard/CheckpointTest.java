package dev.espalier.ps.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.branch.Snapshot;
import dev.espalier.ps.checkpoint.CheckpointStore;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.kernel.ScalarRowKernels;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.io.IOException;
import java.nio.file.ClosedFileSystemException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CheckpointTest {
  private static final BranchRef ROOT = new BranchRef(0);
  private static final int ROWS = 30;
  private static final int SPARSE_ROWS = 20_000;
  private static final List<TableSpec> TABLES =
      List.of(TableSpec.dense("a", ROWS, 3, "adam"), TableSpec.sparse("b", SPARSE_ROWS, 2, "sgd"));

  @TempDir private Path directory;
  private Shard shard = shard(TABLES);
  private int nextBranch = 1;
  private long clock;

  private static Shard shard(List<TableSpec> tables) {
    return new Shard(new ShardConfig(0, 1, 4096, 4096, 8 << 20), tables, new ScalarRowKernels());
  }

  @BeforeEach
  void createBranch() {
    shard.submit(new ShardCommand.Create(ROOT, 0)).join();
    float[] values = new float[ROWS * 3];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    assign(0, new RowSelection.Range(0, ROWS), values);
  }

  private void assign(int table, RowSelection rows, float[] values) {
    RowBatch batch = new RowBatch(table, rows, values);
    shard.submit(new ShardCommand.Assign(ROOT, 0, List.of(batch))).join();
  }

  @AfterEach
  void nothingLeaks() {
    shard.submit(new ShardCommand.Free(ROOT, 0)).join();
    assertThat(shard.stats().pagesInUse()).isZero();
    shard.close();
  }

  @Test
  void aCheckpointThatCannotBeReachedLeavesNoPages() throws Exception {
    Path file;
    try (FileSystem zip =
        FileSystems.newFileSystem(directory.resolve("checkpoints.zip"), Map.of("create", "true"))) {
      file = zip.getPath("checkpoint");
    }
    long pages = shard.stats().pagesInUse();
    assertThatThrownBy(() -> shard.stageCheckpoint(new BranchRef(1), file))
        .isInstanceOf(ClosedFileSystemException.class);
    assertThat(shard.stats().pagesInUse()).isEqualTo(pages);
  }

  private Path file(String name) {
    return directory.resolve(name).resolve("checkpoint");
  }

  private CheckpointStore.Written write(String name) {
    Path file = file(name);
    try {
      Files.createDirectories(file.getParent());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    try (Snapshot snapshot = shard.snapshot(ROOT)) {
      return shard.writeCheckpoint(snapshot, file);
    }
  }

  private Path packOf(String name) throws IOException {
    try (Stream<Path> files = Files.list(file(name).getParent())) {
      return files.filter(path -> path.toString().endsWith(".pages")).sorted().toList().getLast();
    }
  }

  private void isCorrupt(Path file, String what) {
    assertThatThrownBy(() -> shard.stageCheckpoint(new BranchRef(nextBranch), file))
        .as(what)
        .isInstanceOfSatisfying(
            PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.CHECKPOINT_CORRUPT))
        .hasMessageContaining(file.toString());
  }

  /// All parameters of a branch.
  private List<float[]> parameters(BranchRef branch, long atClock) {
    List<float[]> tables = new ArrayList<>();
    for (int table = 0; table < TABLES.size(); table++) {
      int rows = (int) TABLES.get(table).rows();
      ShardReply read =
          shard
              .submit(
                  new ShardCommand.Read(
                      branch,
                      0,
                      atClock,
                      Staleness.bulkSynchronous(),
                      table,
                      new RowSelection.Range(0, rows)))
              .join();
      tables.add(((ShardReply.Rows) read).values());
    }
    return tables;
  }

  private List<float[]> restored(Path file) {
    BranchRef copy = new BranchRef(nextBranch++);
    shard.stageCheckpoint(copy, file);
    shard.submit(new ShardCommand.Create(copy, 0)).join();
    List<float[]> parameters = parameters(copy, 0);
    shard.submit(new ShardCommand.Free(copy, 0)).join();
    return parameters;
  }

  /// A clock that updates all of the dense table and some rows of the sparse one.
  private void train(Random random, int sparseRows) {
    float[] dense = new float[ROWS * 3];
    for (int i = 0; i < dense.length; i++) {
      dense[i] = (float) random.nextGaussian();
    }
    long[] keys = random.longs(sparseRows, 0, SPARSE_ROWS).distinct().toArray();
    float[] sparse = new float[keys.length * 2];
    Arrays.fill(sparse, random.nextFloat());
    shard
        .submit(
            new ShardCommand.Push(
                ROOT,
                0,
                clock++,
                Staleness.bulkSynchronous(),
                StepSize.of(0.1),
                1,
                List.of(
                    new RowBatch(0, new RowSelection.Range(0, ROWS), dense),
                    new RowBatch(1, new RowSelection.Keys(keys), sparse))))
        .join();
  }

  private static void assertEqual(List<float[]> found, List<float[]> expected, String what) {
    for (int table = 0; table < expected.size(); table++) {
      assertThat(found.get(table)).as(what).containsExactly(expected.get(table));
    }
  }

  @Test
  void comesBackAsItWas() {
    write("1");
    assertEqual(restored(file("1")), parameters(ROOT, 0), "restored");
  }

  @Test
  void onlyPagesThatChangedAreWrittenAgain() {
    CheckpointStore.Written first = write("1");
    assertThat(first.writtenBytes()).isLessThanOrEqualTo(first.totalBytes());

    assertThat(write("2").writtenBytes()).as("nothing changed").isZero();
    train(new Random(1), 1);
    long pageBytes = 4096;
    assertThat(write("3").writtenBytes()).as("one page of each").isLessThanOrEqualTo(2 * pageBytes);
    assertThat(write("4").totalBytes()).isEqualTo(first.totalBytes());
  }

  @Test
  void everyCheckpointOfARandomHistoryIsExactWhateverIsDropped() throws IOException {
    long seed = 5;
    Random random = new Random(seed);
    List<Path> files = new ArrayList<>();
    List<List<float[]>> expected = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      train(random, random.nextInt(200));
      write("c" + i);
      files.add(file("c" + i));
      expected.add(parameters(ROOT, clock));
      if (files.size() > 1 + random.nextInt(4)) {
        int dropped = random.nextInt(files.size());
        CheckpointStore.delete(files.remove(dropped));
        expected.remove(dropped);
      }
      int read = random.nextInt(files.size());
      assertEqual(
          restored(files.get(read)),
          expected.get(read),
          "seed %d checkpoint %d".formatted(seed, i));
    }
  }

  @Test
  void checkpointsGoOnIncrementallyAfterARestore() throws IOException {
    write("1");
    List<float[]> expected = parameters(ROOT, 0);
    nothingLeaks();
    shard = shard(TABLES);
    shard.stageCheckpoint(ROOT, file("1"));
    shard.submit(new ShardCommand.Create(ROOT, 0)).join();
    clock = 0;

    assertThat(write("2").writtenBytes()).isZero();
    CheckpointStore.delete(file("1"));

    assertEqual(restored(file("2")), expected, "after the first is gone");
    train(new Random(2), 1);
    assertThat(write("3").writtenBytes()).isPositive();
    assertEqual(restored(file("3")), parameters(ROOT, clock), "after training");
  }

  @Test
  void packsOfLittleUseAreWrittenAnew() throws IOException {
    Random random = new Random(3);
    write("0");
    for (int i = 1; i < 6; i++) {
      train(random, 4000);
      CheckpointStore.Written written = write("" + i);
      CheckpointStore.delete(file("" + (i - 1)));
      assertThat(CheckpointStore.sizeBytes(file("" + i)))
          .as("bytes on disk at %d", i)
          .isLessThan(3 * written.totalBytes());
    }
  }

  @Test
  void everyTruncationIsFound() throws IOException {
    write("1");
    for (Path file : List.of(file("1"), packOf("1"))) {
      byte[] bytes = Files.readAllBytes(file);
      for (int length = 0; length < bytes.length; length += 1 + bytes.length / 23) {
        Files.write(file, Arrays.copyOf(bytes, length));
        isCorrupt(file("1"), file + " of length " + length);
      }
      Files.write(file, bytes);
    }
    Files.write(file("1"), Arrays.copyOf(Files.readAllBytes(file("1")), 5000));
    isCorrupt(file("1"), "another length");
  }

  @Test
  void everyFlippedBitIsFound() throws IOException {
    write("1");
    for (Path file : List.of(file("1"), packOf("1"))) {
      byte[] bytes = Files.readAllBytes(file);
      int start = file.equals(file("1")) ? 0 : 8;
      for (int i = start; i < bytes.length; i += 1 + bytes.length / 67) {
        bytes[i] ^= (byte) (1 << i % 8);
        Files.write(file, bytes);
        isCorrupt(file("1"), file + " byte " + i);
        bytes[i] ^= (byte) (1 << i % 8);
      }
      Files.write(file, bytes);
    }
    assertThatCode(() -> restored(file("1"))).doesNotThrowAnyException();
  }

  @Test
  void aMissingPackIsFound() throws IOException {
    write("1");
    Files.delete(packOf("1"));
    isCorrupt(file("1"), "no pack");
  }

  @Test
  void theMessageNamesWhatWasExpected() throws IOException {
    write("1");
    Path pack = packOf("1");
    byte[] bytes = Files.readAllBytes(pack);
    bytes[100] ^= 1;
    Files.write(pack, bytes);
    assertThatThrownBy(() -> shard.stageCheckpoint(new BranchRef(1), file("1")))
        .hasMessageMatching(
            "checkpoint .*: expected page 0 of table 'a' with CRC32C .* but found .*");
  }

  @Test
  void damagedPagesAreWrittenAgainByTheNextCheckpointAfterARestore() throws IOException {
    write("1");
    train(new Random(4), 10);
    write("2");
    List<float[]> older = restored(file("1"));
    Path pack = packOf("2");
    byte[] bytes = Files.readAllBytes(pack);
    bytes[bytes.length - 1] ^= 1;
    Files.write(pack, bytes);
    isCorrupt(file("2"), "the newest");

    assertEqual(restored(file("1")), older, "the one before");
  }

  @Test
  void otherTablesAreRefused() {
    write("1");
    try (Shard other = shard(List.of(TableSpec.dense("a", 31, 3, "adam")))) {
      assertThatThrownBy(() -> other.stageCheckpoint(ROOT, file("1")))
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
  void aFullDiskLeavesTheOldCheckpointAndNothingElse() throws IOException {
    write("1");
    byte[] before = Files.readAllBytes(file("1"));
    List<float[]> expected = restored(file("1"));
    Path temporary = file("1").resolveSibling("checkpoint.tmp");
    Files.createSymbolicLink(temporary, Path.of("/dev/full"));
    train(new Random(6), 10);

    assertThatThrownBy(() -> write("1"))
        .isInstanceOfSatisfying(
            PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.CHECKPOINT_FAILED))
        .hasMessageContaining("No space left on device")
        .hasCauseInstanceOf(IOException.class);

    assertThat(Files.exists(temporary, LinkOption.NOFOLLOW_LINKS)).isFalse();
    assertThat(Files.readAllBytes(file("1"))).isEqualTo(before);
    assertEqual(restored(file("1")), expected, "the old one");
    assertThatCode(() -> write("1")).doesNotThrowAnyException();
    assertEqual(restored(file("1")), parameters(ROOT, clock), "the new one");
    try (Stream<Path> files = Files.list(file("1").getParent())) {
      assertThat(files.filter(path -> path.toString().endsWith(".pages")).count())
          .as("packs of a replaced checkpoint go")
          .isLessThanOrEqualTo(2);
    }
  }

  /// A model that has room to train must have room to come back, of whatever pages it is.
  @ParameterizedTest
  @CsvSource({"matrix, 256", "dense, 300"})
  void aModelIsRestoredWithinItsOwnSize(String kind, int rows) {
    Path file = directory.resolve("model");
    TableSpec table =
        kind.equals("matrix")
            ? TableSpec.matrix("m", rows, 256, "sgd")
            : TableSpec.dense("m", rows, 1024, "sgd");
    float[] values = new float[rows * (kind.equals("matrix") ? 256 : 1024)];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    var all = new RowSelection.Range(0, rows);
    try (Shard trained = shardOf(4L * values.length * 3, table)) {
      trained.submit(new ShardCommand.Create(ROOT, 0)).join();
      RowBatch batch = new RowBatch(0, all, values);
      trained.submit(new ShardCommand.Assign(ROOT, 0, List.of(batch))).join();
      long ticket =
          ((ShardReply.SnapshotTaken) trained.submit(new ShardCommand.Save(ROOT, 0)).join())
              .ticket();
      try (Snapshot snapshot = trained.takeSnapshot(ticket)) {
        trained.writeCheckpoint(snapshot, file);
      }
    }
    try (Shard again = shardOf(4L * values.length, table)) {
      again.stageCheckpoint(ROOT, file);
      again.submit(new ShardCommand.Create(ROOT, 0)).join();
      ShardReply read =
          again
              .submit(new ShardCommand.Read(ROOT, 0, 0, Staleness.bulkSynchronous(), 0, all))
              .join();
      assertThat(((ShardReply.Rows) read).values()).isEqualTo(values);
    }
  }

  private static Shard shardOf(long budgetBytes, TableSpec table) {
    return new Shard(
        new ShardConfig(0, 1, 4096, 4096, budgetBytes), List.of(table), new ScalarRowKernels());
  }
}
