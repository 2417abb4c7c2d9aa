package dev.espalier.ps.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.espalier.ps.branch.BranchPages;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.branch.BranchStore;
import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.branch.PageTable;
import dev.espalier.ps.branch.Snapshot;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.memory.HostTier;
import dev.espalier.ps.memory.MemoryBudget;
import dev.espalier.ps.memory.MemoryTier;
import dev.espalier.ps.memory.Page;
import dev.espalier.ps.memory.PagePools;
import dev.espalier.ps.table.RowRange;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class CheckpointStoreTest {
  private static final BranchRef ROOT = new BranchRef(0);
  private static final int PAGE_BYTES = 4096;
  private static final PageLayout LAYOUT = PageLayout.of(new RowRange(0, 640), 16, 0, PAGE_BYTES);
  private static final CheckpointShape SHAPE = shape(LAYOUT);

  /// Its pages are not full, and end within a block of the disk.
  private static final PageLayout ODD = PageLayout.of(new RowRange(0, 60), 300, 1, 4 * PAGE_BYTES);

  private static CheckpointShape shape(PageLayout layout) {
    return new CheckpointShape("test", List.of(new CheckpointShape.Table("a", "table a", layout)));
  }

  @TempDir private Path folder;

  /// Memory of a kind that says how it is read, in ordinary memory.
  private static class Tier implements MemoryTier {
    private final HostTier host = new HostTier();
    private final Kind kind;
    private final long shift;
    private final List<Long> targets = new ArrayList<>();
    private Runnable meanwhile = () -> {};

    Tier(Kind kind) {
      this(kind, 0);
    }

    /// @param shift how far behind a page of the system's memory blocks begin
    Tier(Kind kind, long shift) {
      this.kind = kind;
      this.shift = shift;
    }

    @Override
    public Kind kind() {
      return kind;
    }

    @Override
    public MemorySegment allocate(long bytes) {
      MemorySegment block = host.allocate(bytes + 2 * PAGE_BYTES);
      return block.asSlice(Math.floorMod(-block.address(), (long) PAGE_BYTES) + shift, bytes);
    }

    @Override
    public void download(MemorySegment from, long offset, MemorySegment to) {
      targets.add(to.address());
      meanwhile.run();
      MemoryTier.super.download(from, offset, to);
    }

    @Override
    public void close() {
      host.close();
    }
  }

  /// A branch in some memory.
  private static final class Branch implements AutoCloseable {
    private final PagePools pools;
    private final BranchStore branches;
    private final PageLayout layout;

    Branch(MemoryTier tier) {
      this(tier, LAYOUT);
    }

    Branch(MemoryTier tier, PageLayout layout) {
      this.layout = layout;
      pools = new PagePools(tier, new MemoryBudget(1 << 20));
      branches = new BranchStore(pools, List.of(layout));
      branches.create(ROOT);
    }

    private int bytes() {
      return Math.toIntExact(layout.planes() * layout.planeBytes());
    }

    void fill(int from, int value) {
      PageTable table = branches.pagesOf(ROOT).table(0);
      for (int index = from; index < layout.pageCount(); index++) {
        fillOne(table, index, value + index);
      }
    }

    void fillOne(int index, int value) {
      fillOne(branches.pagesOf(ROOT).table(0), index, value);
    }

    private void fillOne(PageTable table, int index, int value) {
      byte[] bytes = new byte[bytes()];
      Arrays.fill(bytes, (byte) value);
      Page page = table.target(index);
      page.upload(MemorySegment.ofArray(bytes), 0);
      table.install(index, page);
    }

    CheckpointStore.Written write(CheckpointStore store, Path file) {
      try (Snapshot snapshot = branches.snapshot(ROOT)) {
        return store.write(snapshot, file);
      }
    }

    List<Byte> read(CheckpointStore store, Path file) {
      BranchPages pages = branches.zeros();
      store.read(file, pages);
      List<Byte> firsts = new ArrayList<>();
      for (int index = 0; index < layout.pageCount(); index++) {
        MemorySegment page = MemorySegment.ofArray(new byte[bytes()]);
        pages.table(0).page(index).download(0, page);
        byte first = page.get(ValueLayout.JAVA_BYTE, 0);
        assertThat(page.toArray(ValueLayout.JAVA_BYTE)).containsOnly(first);
        firsts.add(first);
      }
      branches.discard(pages);
      return firsts;
    }

    @Override
    public void close() {
      pools.close();
    }
  }

  private static Byte[] values(int from) {
    Byte[] values = new Byte[LAYOUT.pageCount()];
    Arrays.setAll(values, i -> (byte) (from + i));
    return values;
  }

  @ParameterizedTest
  @EnumSource(
      value = MemoryTier.Kind.class,
      names = {"HOST", "PINNED"})
  void pagesLargerThanAPieceComeBack(MemoryTier.Kind kind) {
    try (Branch branch = new Branch(new Tier(kind))) {
      branch.fill(0, 5);
      branch.write(new CheckpointStore(SHAPE, 1000, Long.MAX_VALUE, 64, 1), folder.resolve("c"));
      for (int pieceBytes : new int[] {999, 4096, 1 << 20}) {
        assertThat(
                branch.read(
                    new CheckpointStore(SHAPE, pieceBytes, Long.MAX_VALUE, 64, 1),
                    folder.resolve("c")))
            .containsExactly(values(5));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "HOST, 0, 1000",
    "HOST, 0, 8192",
    "HOST, 0, 1000000",
    "HOST, 64, 1000",
    "HOST, 64, 8192",
    "PINNED, 64, 1000",
    "PINNED, 0, 8192"
  })
  void pagesThatWentAroundTheCacheComeBack(MemoryTier.Kind kind, long shift, int pieceBytes) {
    assertThat(ODD.planes() * ODD.planeBytes() % PAGE_BYTES).isNotZero();
    for (PageLayout layout : List.of(LAYOUT, ODD)) {
      Path file = folder.resolve("c" + layout.columns());
      try (Branch branch = new Branch(new Tier(kind, shift), layout)) {
        branch.fill(0, 5);
        var store = new CheckpointStore(shape(layout), pieceBytes, 0, 64, 1);
        CheckpointStore.Written written = branch.write(store, file);
        assertThat(written.writtenBytes())
            .isEqualTo(written.totalBytes())
            .isEqualTo(layout.pageCount() * layout.planes() * layout.planeBytes());
        assertThat(branch.read(new CheckpointStore(shape(layout)), file))
            .containsExactly(Arrays.copyOf(values(5), layout.pageCount()));
        assertThat(branch.write(store, folder.resolve("a" + file.getFileName())).writtenBytes())
            .isZero();
      }
      assumeThat(firstOffset(file, layout)).as("the disk takes direct writes").isNotEqualTo(8);
      assertThat(Manifest.read(file, shape(layout)).entries())
          .allMatch(entry -> entry.offset() % PAGE_BYTES == 0);
    }
  }

  private static long firstOffset(Path file, PageLayout layout) {
    return Manifest.read(file, shape(layout)).entries().getFirst().offset();
  }

  @Test
  void whereThereIsNoWayAroundTheCacheCheckpointsGoThroughIt() throws IOException {
    Files.createSymbolicLink(folder.resolve("c.1.pages"), Path.of("/dev/full"));
    try (Branch branch = new Branch(new HostTier())) {
      var store = new CheckpointStore(SHAPE, 1 << 20, 0, 64, 1);
      branch.fill(0, 5);
      branch.write(store, folder.resolve("c"));
      assertThat(branch.read(store, folder.resolve("c"))).containsExactly(values(5));
      assertThat(firstOffset(folder.resolve("c"), LAYOUT)).isEqualTo(8);
      assertThat(names()).containsExactly("c", "c.2.pages");
    }
  }

  /// What is asked for once may fail for a reason that passes.
  @Test
  void aWayThatFailsThreeTimesIsNotTriedAgain() throws IOException {
    try (Branch branch = new Branch(new HostTier())) {
      var store = new CheckpointStore(SHAPE, 1 << 20, 0, 64, 1);
      for (int number = 1; number <= 7; number += 2) {
        Path refuses = folder.resolve("c" + number + "." + number + ".pages");
        Files.createSymbolicLink(refuses, Path.of("/dev/full"));
      }
      for (int number = 1; number < 7; number += 2) {
        branch.fill(0, number);
        branch.write(store, folder.resolve("c" + number));
      }
      branch.fill(0, 9);
      assertThatThrownBy(() -> branch.write(store, folder.resolve("c7")))
          .as("written through the cache at once")
          .hasMessageContaining("No space left");
    }
  }

  /// A disk that is full says nothing of the ways to it.
  @Test
  void aFullDiskFailsACheckpointAndNotTheWay() throws IOException {
    Files.createSymbolicLink(folder.resolve("c.1.pages"), Path.of("/dev/full"));
    Files.createSymbolicLink(folder.resolve("c.2.pages"), Path.of("/dev/full"));
    try (Branch branch = new Branch(new HostTier())) {
      var store = new CheckpointStore(SHAPE, 1 << 20, 0, 64, 1);
      branch.fill(0, 5);
      assertThatThrownBy(() -> branch.write(store, folder.resolve("c")))
          .hasMessageContaining("No space left");
      assertThat(names()).isEmpty();
      branch.write(store, folder.resolve("c"));
      assertThat(branch.read(store, folder.resolve("c"))).containsExactly(values(5));
      branch.write(new CheckpointStore(SHAPE, 1 << 20, 0, 64, 7), folder.resolve("e"));
      assertThat(firstOffset(folder.resolve("c"), LAYOUT))
          .as("as of a store that saw no full disk")
          .isEqualTo(firstOffset(folder.resolve("e"), LAYOUT));
    }
  }

  @Test
  void pagesThatADeviceMovesPassThroughLittleMemory() {
    Tier tier = new Tier(MemoryTier.Kind.PINNED);
    try (Branch branch = new Branch(tier)) {
      branch.fill(0, 5);
      branch.write(
          new CheckpointStore(SHAPE, 2 * PAGE_BYTES, Long.MAX_VALUE, 64, 1), folder.resolve("c"));
      assertThat(tier.targets).hasSize(LAYOUT.pageCount());
      assertThat(tier.targets.stream().distinct()).hasSize(2);
    }
  }

  /// A worker that was turned away may still write what its successor is told to drop.
  @Test
  void whatIsDroppedWhileItIsWrittenIsNoCheckpoint() {
    Tier tier = new Tier(MemoryTier.Kind.PINNED);
    Path file = folder.resolve("c");
    try (Branch branch = new Branch(tier)) {
      branch.fill(0, 5);
      tier.meanwhile =
          () -> {
            try {
              CheckpointStore.delete(file);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          };
      assertThatThrownBy(() -> branch.write(new CheckpointStore(SHAPE), file))
          .isInstanceOfSatisfying(
              PsException.class,
              failure -> assertThat(failure.fault()).isEqualTo(PsFault.CHECKPOINT_FAILED))
          .hasMessageContaining("deleted while the checkpoint was written");
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aCheckpointConsistsOfAFewPacks() {
    int maxLinkedPacks = 3;
    try (Branch branch = new Branch(new Tier(MemoryTier.Kind.HOST))) {
      var store = new CheckpointStore(SHAPE, 1 << 20, Long.MAX_VALUE, maxLinkedPacks, 1);
      branch.fill(0, 5);
      for (int index = 0; index < LAYOUT.pageCount(); index++) {
        Path file = folder.resolve("c" + index);
        branch.fillOne(index, 50 + index);
        branch.write(store, file);
        assertThat(Manifest.read(file, SHAPE).packs()).hasSizeLessThanOrEqualTo(maxLinkedPacks + 1);
      }
      Path last = folder.resolve("c" + (LAYOUT.pageCount() - 1));
      assertThat(branch.read(new CheckpointStore(SHAPE), last)).containsExactly(values(50));
    }
  }

  @Test
  void whatCannotBeOpenedIsNotDamaged() {
    Path file = folder.resolve("c");
    assertThat(Manifest.unreadable(file, new NoSuchFileException("c.1.pages")).fault())
        .isEqualTo(PsFault.CHECKPOINT_CORRUPT);
    assertThat(Manifest.unreadable(file, new IOException("Input/output error")).fault())
        .isEqualTo(PsFault.CHECKPOINT_CORRUPT);
    var full = new FileSystemException("c.1.pages", null, "Too many open files");
    assertThat(Manifest.unreadable(file, full).fault()).isEqualTo(PsFault.CHECKPOINT_UNREADABLE);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatFailsLeavesTheOldCheckpointAndNothingElse(boolean isError) throws IOException {
    var tier =
        new Tier(MemoryTier.Kind.PINNED) {
          private int left = Integer.MAX_VALUE;

          @Override
          public void download(MemorySegment from, long offset, MemorySegment to) {
            if (left-- == 0) {
              if (isError) {
                throw new OutOfMemoryError("no room");
              }
              throw new IllegalStateException("no room");
            }
            super.download(from, offset, to);
          }
        };
    try (Branch branch = new Branch(tier)) {
      var store = new CheckpointStore(SHAPE);
      branch.fill(0, 5);
      branch.write(store, folder.resolve("c"));
      List<String> before = names();
      branch.fill(0, 9);
      tier.left = 3;
      assertThatThrownBy(() -> branch.write(store, folder.resolve("c"))).hasMessage("no room");
      tier.left = Integer.MAX_VALUE;
      assertThat(names()).isEqualTo(before);
      assertThat(branch.read(store, folder.resolve("c"))).containsExactly(values(5));
    }
  }

  private List<String> names() throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void oldPagesThatCannotBeDeletedAreNoFailure() throws IOException {
    // A folder where a pack was: not empty, so that it stays.
    Files.createDirectories(folder.resolve("c.1.pages").resolve("in"));
    try (Branch branch = new Branch(new HostTier())) {
      var store = new CheckpointStore(SHAPE);
      branch.fill(0, 5);
      branch.write(store, folder.resolve("c"));
      assertThat(branch.read(store, folder.resolve("c"))).containsExactly(values(5));
    }
  }

  /// The folder's names cannot be forced to the disk where it may not be read; who runs as root
  /// may.
  @Test
  void whatFailsBehindTheRenameLeavesTheNewCheckpointWhole() throws IOException {
    try (Branch branch = new Branch(new HostTier())) {
      var store = new CheckpointStore(SHAPE);
      branch.fill(0, 5);
      branch.write(store, folder.resolve("c"));
      branch.fill(0, 9);
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("-wx------"));
      try {
        assumeThat(Files.isReadable(folder)).as("root may read everything").isFalse();
        assertThatThrownBy(() -> branch.write(store, folder.resolve("c")))
            .isInstanceOfSatisfying(
                PsException.class,
                failure -> assertThat(failure.fault()).isEqualTo(PsFault.CHECKPOINT_FAILED));
      } finally {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
      }
      assertThat(branch.read(store, folder.resolve("c"))).containsExactly(values(9));
    }
  }

  @Test
  void pagesOfCheckpointsThatAreGoneAreForgotten() throws IOException {
    try (Branch branch = new Branch(new HostTier())) {
      var store = new CheckpointStore(SHAPE);
      for (int round = 0; round < 20; round++) {
        branch.fill(0, round);
        branch.write(store, folder.resolve("c" + round));
        CheckpointStore.delete(folder.resolve("c" + (round - 1)));
      }
      branch.write(store, folder.resolve("last"));
      assertThat(store.knownPages()).isEqualTo(LAYOUT.pageCount());
      branch.fill(LAYOUT.pageCount() - 1, 99);
      assertThat(branch.write(store, folder.resolve("one more")).writtenBytes())
          .isEqualTo(PAGE_BYTES);
    }
  }

  @Test
  void ofTwoInAFolderEachIsWholeByItself() throws IOException {
    try (Branch branch = new Branch(new HostTier())) {
      var store = new CheckpointStore(SHAPE);
      branch.fill(0, 5);
      branch.write(store, folder.resolve("a"));
      assertThat(branch.write(store, folder.resolve("a.b")).writtenBytes()).isZero();
      assertThat(branch.write(store, folder.resolve("c")).writtenBytes()).isZero();
      branch.fill(0, 9);
      branch.write(store, folder.resolve("a"));
      assertThat(branch.read(store, folder.resolve("a.b"))).containsExactly(values(5));
      CheckpointStore.delete(folder.resolve("a"));
      for (String left : List.of("a.b", "c")) {
        assertThat(branch.read(new CheckpointStore(SHAPE), folder.resolve(left)))
            .as(left)
            .containsExactly(values(5));
      }
      CheckpointStore.delete(folder.resolve("a.b"));
      CheckpointStore.delete(folder.resolve("c"));
      assertThat(names()).isEmpty();
    }
  }

  /// The clock of the machine may have been set back since.
  @Test
  void packsOfAnEarlierProcessAreNotWrittenOver() throws IOException {
    try (Branch branch = new Branch(new HostTier())) {
      branch.fill(0, 5);
      branch.write(new CheckpointStore(SHAPE), folder.resolve("c"));
      String pack =
          names().stream().filter(name -> name.endsWith(".pages")).findFirst().orElseThrow();
      long number = Long.parseLong(pack.replaceAll("\\D", ""));
      var later = new CheckpointStore(SHAPE, 1 << 20, Long.MAX_VALUE, 64, number);
      branch.read(later, folder.resolve("c"));
      branch.fill(0, 9);
      branch.write(later, folder.resolve("d"));
      branch.write(later, folder.resolve("c"));
      assertThat(branch.read(later, folder.resolve("c"))).containsExactly(values(9));
      assertThat(branch.read(later, folder.resolve("d"))).containsExactly(values(9));
    }
  }

  private static Manifest manifest(long bytes) {
    List<Manifest.Entry> entries = new ArrayList<>();
    for (int i = 0; i < LAYOUT.pageCount(); i++) {
      entries.add(new Manifest.Entry(0, 8 + i * bytes, bytes, 77 + i));
    }
    return new Manifest(SHAPE.description(), new long[] {12}, List.of("c.1.pages"), entries);
  }

  @Test
  void pagesMayHaveMoreThanTwoGigabytes() throws IOException {
    Manifest large = manifest(5L << 30);
    Files.write(folder.resolve("c"), large.encode().array());
    assertThat(Manifest.read(folder.resolve("c"), SHAPE).entries()).isEqualTo(large.entries());
    PageLayout layout = PageLayout.of(new RowRange(0, 1 << 20), 1024, 2, PageLayout.ONE_PAGE);
    assertThat(new CheckpointShape.Table("m", "matrix", layout).pageBytes()).isEqualTo(3L << 32);
  }

  @Test
  void manifestsOfTheEarlierFormAreRead() throws IOException {
    Manifest manifest = manifest(4096);
    byte[] now = manifest.encode().array();
    int head = 8 + 4 + SHAPE.description().length + 8 + 4 + 4 + "c.1.pages".length();
    ByteBuffer earlier =
        ByteBuffer.allocate(now.length - 4 * LAYOUT.pageCount()).order(ByteOrder.LITTLE_ENDIAN);
    earlier.put(now, 0, head).put(0, Manifest.EARLIER_MAGIC);
    for (Manifest.Entry entry : manifest.entries()) {
      earlier.putInt(entry.pack()).putLong(entry.offset()).putInt(4096).putInt(entry.crc());
    }
    earlier.put(Manifest.END_MAGIC).putLong(earlier.capacity());
    earlier.putInt(Manifest.crcOf(earlier.duplicate().flip()));
    Files.write(folder.resolve("c"), earlier.array());
    assertThat(Manifest.read(folder.resolve("c"), SHAPE).entries()).isEqualTo(manifest.entries());
  }
}
