package dev.espalier.ps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.filter.FilterOptions;
import dev.espalier.ps.gpu.Gpu;
import dev.espalier.ps.gpu.TestDevice;
import dev.espalier.ps.memory.MemoryTier;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.PinnedRows;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.table.ValueCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PinnedRowsTest {
  private static final int ROWS = 700;
  private static final int COLUMNS = 300;
  private static final BranchRef BRANCH = new BranchRef(1);
  private static final List<TableSpec> TABLES =
      List.of(
          TableSpec.matrix("matrix", ROWS, COLUMNS, "momentum"),
          TableSpec.dense("dense", ROWS, COLUMNS, "sgd"));

  @AfterEach
  void endFailures() {
    TestDevice.endFailures();
  }

  @SuppressWarnings("restricted") // as large as the table
  private static float[] values(PinnedRows rows) {
    return MemorySegment.ofAddress(rows.address())
        .reinterpret(4L * ROWS * COLUMNS)
        .toArray(ValueLayout.JAVA_FLOAT);
  }

  @Test
  void aMatrixLiesInOnePieceAndStaysAsItWasPinned() {
    float[] ones = new float[ROWS * COLUMNS];
    Arrays.fill(ones, 1);
    try (ParameterServer server =
            ParameterServer.open(ParameterServerConfig.of(1, 0, 64L << 20), TABLES);
        WorkerSession session = server.session()) {
      session.create(BRANCH);
      session.select(BRANCH, Staleness.bulkSynchronous(), new StepSize(0.5, 0.9));
      session.assign(0, 0, ROWS, ones, 0);
      float[] read = new float[ROWS * COLUMNS];
      try (PinnedRows pinned = session.pin(0).orElseThrow()) {
        assertThat(values(pinned)).isEqualTo(ones);
        session.add(0, 0, ROWS, ones, 0);
        session.tick(1);
        session.read(0, 0, ROWS, read, 0);
        assertThat(read[0]).isEqualTo(0.5f);
        assertThat(values(pinned)).isEqualTo(ones);
      }
      PinnedRows again = session.pin(0).orElseThrow();
      long address = again.address();
      assertThat(values(again)).isEqualTo(read);
      again.close();
      assertThatThrownBy(again::address).hasMessageContaining("must be pinned");
      session.add(0, 0, ROWS, ones, 0);
      session.tick(1);
      assertThat(session.pin(0).orElseThrow().address())
          .as("an update without a view is made in place")
          .isEqualTo(address);
    }
  }

  @Test
  void aMatrixThatIsReadFromACopyIsNotPinned() {
    var fetched = new FilterOptions(ValueCode.FLOAT32, 0, 1, 3, false);
    try (ParameterServer server =
            ParameterServer.open(
                ParameterServerConfig.of(1, 0, 64L << 20).withFilters(fetched), TABLES);
        WorkerSession session = server.session()) {
      session.create(BRANCH);
      session.select(BRANCH, Staleness.bulkSynchronous(), StepSize.of(0.5));
      assertThat(session.pin(0)).isEmpty();
      session.select(BRANCH, Staleness.bulkSynchronous(), StepSize.noUpdate());
      try (PinnedRows pinned = session.pin(0).orElseThrow()) {
        assertThat(values(pinned)).containsOnly(0);
      }
    }
  }

  /// A device has room for eight pages, but not for all that its branches write.
  @Test
  void aMatrixOnADeviceDoesNotMoveWhileItIsPinned() {
    try (Gpu device = TestDevice.open();
        ParameterServer server =
            ParameterServer.open(
                ParameterServerConfig.of(1, 0, 64L << 20).withDevice(16L << 20), TABLES);
        WorkerSession session = server.session()) {
      session.create(BRANCH);
      session.select(BRANCH, Staleness.bulkSynchronous(), new StepSize(0.5, 0.9));
      float[] ones = new float[ROWS * COLUMNS];
      Arrays.fill(ones, 1);
      session.assign(0, 0, ROWS, ones, 0);
      try (PinnedRows pinned = session.pin(0).orElseThrow()) {
        assertThat(pinned.isOnDevice()).isTrue();
        long address = pinned.address();
        for (int child = 2; child < 7; child++) {
          train(session, new BranchRef(child), ones);
          assertThat(pinned.address()).isEqualTo(address);
          assertThat(onDevice(device, pinned)).isEqualTo(ones);
        }
      }
      for (int child = 7; child < 12; child++) {
        train(session, new BranchRef(child), ones);
      }
      session.select(BRANCH, Staleness.bulkSynchronous(), new StepSize(0.5, 0.9));
      float[] read = new float[ROWS * COLUMNS];
      session.read(0, 0, ROWS, read, 0);
      assertThat(read).isEqualTo(ones);
    }
  }

  /// A budget that is all taken by addresses in use leaves nothing to work with: what may not be
  /// kept from moving is copied.
  @Test
  void aDeviceKeepsRoomForPagesThatMove() {
    List<TableSpec> tables =
        IntStream.range(0, 8)
            .mapToObj(i -> TableSpec.matrix("matrix" + i, ROWS, COLUMNS, "sgd"))
            .toList();
    try (Gpu device = TestDevice.open();
        ParameterServer server =
            ParameterServer.open(
                ParameterServerConfig.of(1, 0, 64L << 20).withDevice(8L << 20), tables);
        WorkerSession session = server.session()) {
      session.create(BRANCH);
      session.select(BRANCH, Staleness.bulkSynchronous(), new StepSize(0.5, 0.9));
      List<PinnedRows> pinned =
          IntStream.range(0, 8).mapToObj(session::pin).flatMap(Optional::stream).toList();
      assertThat(pinned).hasSize(8).allMatch(PinnedRows::isOnDevice);
      float[] ones = new float[ROWS * COLUMNS];
      Arrays.fill(ones, 1);
      for (int table = 0; table < 8; table++) {
        session.add(table, 0, ROWS, ones, 0);
      }
      session.tick(1);
      float[] read = new float[ROWS * COLUMNS];
      for (int table = 0; table < 8; table++) {
        session.read(table, 0, ROWS, read, 0);
        assertThat(read).containsOnly(-0.5f);
      }
      for (PinnedRows rows : pinned) {
        assertThat(onDevice(device, rows)).containsOnly(0);
        rows.close();
      }
      for (int table = 0; table < 8; table++) {
        try (PinnedRows rows = session.pin(table).orElseThrow()) {
          assertThat(onDevice(device, rows)).containsOnly(-0.5f);
        }
      }
    }
  }

  /// The memory of the device ends before its budget: what may be kept from moving, and how much is
  /// worked on at once, follow it. Copies, which others may have room for later, do not.
  @Test
  void whatADeviceHasIsWhatIsShared() {
    List<TableSpec> tables =
        new ArrayList<>(List.of(TableSpec.dense("large", 9 * 512, 512, "sgd")));
    IntStream.range(0, 23)
        .forEach(i -> tables.add(TableSpec.matrix("matrix" + i, ROWS, COLUMNS, "sgd")));
    BranchRef child = new BranchRef(2);
    try (Gpu device = TestDevice.open();
        ParameterServer server =
            ParameterServer.open(
                ParameterServerConfig.of(1, 0, 256L << 20).withDevice(64L << 20), tables);
        WorkerSession session = server.session()) {
      Assumptions.assumeTrue(TestDevice.isDouble(), "a real device cannot be made to fail");
      session.create(BRANCH);
      float[] ones = new float[9 * 512 * 512];
      Arrays.fill(ones, 1);
      step(session, BRANCH, ones);
      float[] read = new float[ones.length];
      session.read(0, 0, 9 * 512, read, 0);
      assertThat(server.stats().pagesInUse()).as("four slabs of eight pages").isEqualTo(32);
      TestDevice.failAll("cuMemAlloc", 2);
      session.fork(child, BRANCH);
      step(session, child, ones);
      assertThat(server.stats().device().orElseThrow().budgetBytes()).isLessThan(33L << 20);
      List<PinnedRows> pinned =
          IntStream.range(1, 24).mapToObj(session::pin).flatMap(Optional::stream).toList();
      assertThat(pinned).hasSizeBetween(8, 22);
      BranchRef grandchild = new BranchRef(3);
      session.fork(grandchild, child);
      step(session, grandchild, ones);
      session.read(0, 0, 9 * 512, read, 0);
      assertThat(read).containsOnly(-1.5f);
      assertThat(onDevice(device, pinned.getFirst())).containsOnly(-1f);
      assertThat(session.pin(23)).as("a copy that has no room").isEmpty();
      TestDevice.endFailures();
      session.pin(23).orElseThrow().close();
      pinned.forEach(PinnedRows::close);
    }
  }

  private static void step(WorkerSession session, BranchRef branch, float[] gradients) {
    session.select(branch, Staleness.bulkSynchronous(), StepSize.of(0.5));
    session.add(0, 0, 9 * 512, gradients, 0);
    for (int table = 1; table < 24; table++) {
      session.add(table, 0, ROWS, gradients, 0);
    }
    session.tick(1);
  }

  /// The device holds half of the matrix, the rest is in memory of the host.
  @Test
  void aMatrixThatDoesNotFitIsPutTogetherOnTheDevice() {
    List<TableSpec> tables = List.of(TableSpec.matrix("matrix", 8 * ROWS, COLUMNS, "momentum"));
    try (Gpu device = TestDevice.open();
        ParameterServer server =
            ParameterServer.open(
                ParameterServerConfig.of(1, 0, 64L << 20).withDevice(8L << 20), tables);
        WorkerSession session = server.session()) {
      session.create(BRANCH);
      session.select(BRANCH, Staleness.bulkSynchronous(), new StepSize(0.5, 0.9));
      float[] values = new float[8 * ROWS * COLUMNS];
      for (int i = 0; i < values.length; i++) {
        values[i] = i;
      }
      session.assign(0, 0, 8 * ROWS, values, 0);
      try (PinnedRows before = session.pin(0).orElseThrow()) {
        session.add(0, 0, 8 * ROWS, values, 0);
        session.tick(1);
        try (PinnedRows after = session.pin(0).orElseThrow();
            PinnedRows again = session.pin(0).orElseThrow()) {
          assertThat(again.address()).isNotEqualTo(after.address());
          assertThat(session.pin(0)).as("a fourth copy at a time").isEmpty();
          assertThat(onDevice(device, after, values.length))
              .startsWith(0f, 0.5f, 1f)
              .endsWith(0.5f * (values.length - 1));
        }
        assertThat(onDevice(device, before, values.length)).isEqualTo(values);
      }
    }
  }

  /// Gradients that lie on the device do what those of the host do, bit for bit, whether the tables
  /// fit or not.
  @ParameterizedTest
  @ValueSource(longs = {8L << 20, 64L << 20})
  @SuppressWarnings("restricted") // as large as the block
  void gradientsOfTheDeviceAreAddedThere(long deviceBytes) {
    List<TableSpec> tables =
        List.of(
            TableSpec.matrix("matrix", 8 * ROWS, COLUMNS, "momentum"),
            TableSpec.matrix("twin", 8 * ROWS, COLUMNS, "momentum"));
    try (Gpu device = TestDevice.open();
        MemoryTier tier = device.deviceTier();
        ParameterServer server =
            ParameterServer.open(
                ParameterServerConfig.of(1, 0, 256L << 20).withDevice(deviceBytes), tables);
        WorkerSession session = server.session();
        Arena arena = Arena.ofConfined()) {
      session.create(BRANCH);
      session.select(BRANCH, Staleness.bulkSynchronous(), new StepSize(0.5, 0.9));
      float[] gradients = new float[8 * ROWS * COLUMNS];
      MemorySegment block = tier.allocate(4L * gradients.length);
      for (int clock = 0; clock < 3; clock++) {
        for (int i = 0; i < gradients.length; i++) {
          gradients[i] = (float) Math.sin(i + clock);
        }
        tier.upload(arena.allocateFrom(ValueLayout.JAVA_FLOAT, gradients), block, 0);
        device.await();
        assertThat(session.addFromDevice(0, block.address())).isTrue();
        assertThat(session.addFromDevice(0, block.address())).as("again").isFalse();
        tier.zero(block, 4L * gradients.length);
        session.add(1, 0, 8 * ROWS, gradients, 0);
        if (clock == 1) {
          // Both ways at once.
          session.add(0, 3, 5, gradients, 0);
          session.add(1, 3, 5, gradients, 0);
        }
        session.tick(7);
      }
      float[] read = new float[gradients.length];
      float[] twin = new float[gradients.length];
      session.read(0, 0, 8 * ROWS, read, 0);
      session.read(1, 0, 8 * ROWS, twin, 0);
      assertThat(read).isEqualTo(twin).doesNotContain(Float.NaN);
      assertThat(read[5]).isNotZero();
    }
  }

  @Test
  void gradientsOfADeviceAreNotForTablesOfTheHost() {
    try (ParameterServer server =
            ParameterServer.open(ParameterServerConfig.of(1, 0, 64L << 20), TABLES);
        WorkerSession session = server.session()) {
      session.create(BRANCH);
      session.select(BRANCH, Staleness.bulkSynchronous(), new StepSize(0.5, 0.9));
      assertThat(session.addFromDevice(0, 1L << 40)).isFalse();
      session.tick(1);
    }
  }

  private static void train(WorkerSession session, BranchRef child, float[] gradients) {
    session.fork(child, BRANCH);
    session.select(child, Staleness.bulkSynchronous(), new StepSize(0.5, 0.9));
    session.add(0, 0, ROWS, gradients, 0);
    session.add(1, 0, ROWS, gradients, 0);
    session.tick(1);
  }

  private static float[] onDevice(Gpu device, PinnedRows rows) {
    return onDevice(device, rows, ROWS * COLUMNS);
  }

  private static float[] onDevice(Gpu device, PinnedRows rows, int count) {
    float[] values = new float[count];
    try (Arena arena = Arena.ofConfined();
        MemoryTier tier = device.deviceTier()) {
      MemorySegment copy = arena.allocate(4L * values.length);
      tier.download(MemorySegment.ofAddress(rows.address()), 0, copy);
      MemorySegment.copy(copy, ValueLayout.JAVA_FLOAT, 0, values, 0, values.length);
    }
    return values;
  }

  @Test
  void whatLiesInSeveralPagesIsNotPinned() {
    try (ParameterServer server =
            ParameterServer.open(ParameterServerConfig.of(1, 0, 64L << 20), TABLES);
        WorkerSession session = server.session()) {
      session.create(BRANCH);
      session.select(BRANCH, Staleness.bulkSynchronous(), new StepSize(0.5, 0.9));
      assertThat(session.pin(1)).isEmpty();
    }
  }

  @Test
  void pinnedPagesComeBack() {
    try (ParameterServer server =
            ParameterServer.open(ParameterServerConfig.of(1, 0, 64L << 20), TABLES);
        WorkerSession session = server.session()) {
      session.create(BRANCH);
      session.select(BRANCH, Staleness.bulkSynchronous(), new StepSize(0.5, 0.9));
      PinnedRows pinned = session.pin(0).orElseThrow();
      session.free(BRANCH);
      session.awaitQuiet();
      assertThat(server.stats().pagesInUse()).isEqualTo(1);
      pinned.close();
      assertThat(server.stats().pagesInUse()).isZero();
    }
  }
}
