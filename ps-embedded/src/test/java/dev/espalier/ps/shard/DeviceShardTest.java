package dev.espalier.ps.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.gpu.Gpu;
import dev.espalier.ps.gpu.TestDevice;
import dev.espalier.ps.kernel.ScalarRowKernels;
import dev.espalier.ps.memory.MemoryTier;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A shard with its tables on a device against one on the host.
final class DeviceShardTest {
  private static final int PAGE = 4096;
  private static final int ROWS = 96;
  private static final int COLUMNS = 64;
  private static final BranchRef ROOT = new BranchRef(0);
  private static final StepSize STEP = StepSize.of(0.1);

  @BeforeEach
  void openDevice() {
    TestDevice.open().close();
  }

  @AfterEach
  void reset() {
    TestDevice.schedule(TestDevice.Schedule.LATE, 0);
    TestDevice.endFailures();
  }

  private static Shard shard(int workers, long hostBytes, int devicePages, TableSpec... tables) {
    return new Shard(
        new ShardConfig(0, workers, PAGE, PAGE, hostBytes, (long) devicePages * PAGE, false),
        List.of(tables),
        new ScalarRowKernels());
  }

  private static ShardReply now(Shard shard, ShardCommand command) {
    return shard.submit(command).join();
  }

  private static void ok(Shard shard, ShardCommand command) {
    assertThat(now(shard, command)).as("%s", command).isEqualTo(new ShardReply.Acknowledged());
  }

  private static float[] read(Shard shard, BranchRef branch, int worker, long clock, int bound) {
    ShardReply reply =
        now(
            shard,
            new ShardCommand.Read(
                branch, worker, clock, new Staleness(bound), 0, new RowSelection.Range(0, ROWS)));
    assertThat(reply).isInstanceOf(ShardReply.Rows.class);
    return ((ShardReply.Rows) reply).values();
  }

  private static ShardCommand.Push push(
      BranchRef branch, int worker, long clock, int bound, RowBatch... batches) {
    return new ShardCommand.Push(
        branch, worker, clock, new Staleness(bound), STEP, 1, List.of(batches));
  }

  private static RowBatch all(Random random) {
    float[] values = new float[ROWS * COLUMNS];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return new RowBatch(0, new RowSelection.Range(0, ROWS), values);
  }

  /// `adarevision` looks at pages as a worker had read them, which may be arriving, leaving or
  /// neither: 24 pages a branch and those that were seen, on a device with room for 12.
  @ParameterizedTest
  @EnumSource
  void whatWorkersHadReadIsFoundWhereverItLies(TestDevice.Schedule schedule) {
    TestDevice.schedule(schedule, 5);
    TableSpec table = TableSpec.dense("w", 2 * ROWS, COLUMNS, "adarevision");
    List<float[]> expected = trainStale(shard(2, 32 << 20, 0, table));
    List<float[]> actual = trainStale(shard(2, 32 << 20, 12, table));
    for (int i = 0; i < expected.size(); i++) {
      assertThat(actual.get(i)).as("read %d", i).containsExactly(expected.get(i));
    }
  }

  private static List<float[]> trainStale(Shard shard) {
    List<float[]> seen = new ArrayList<>();
    Random random = new Random(2);
    long[] clocks = new long[2];
    try (shard) {
      shard.submit(new ShardCommand.Create(ROOT, 0));
      ok(shard, new ShardCommand.Create(ROOT, 1));
      for (int i = 0; i < 24; i++) {
        int worker =
            Math.abs(clocks[0] - clocks[1]) > 2
                ? (clocks[0] < clocks[1] ? 0 : 1)
                : random.nextInt(2);
        int other = 1 - worker;
        seen.add(read(shard, ROOT, worker, clocks[worker], 4));
        ok(shard, push(ROOT, other, clocks[other]++, 4, all(random)));
        ok(shard, push(ROOT, worker, clocks[worker]++, 4, all(random)));
      }
    }
    return seen;
  }

  /// Six branches of 24 pages: what the device and pinned memory hold together is used.
  @ParameterizedTest
  @EnumSource
  void branchesTakeTurnsInAllTheMemoryThereIs(TestDevice.Schedule schedule) {
    TestDevice.schedule(schedule, 9);
    int pages = 6 * 48;
    try (Shard shard =
        shard(1, (pages - 16L) * PAGE, 24, TableSpec.dense("w", ROWS, COLUMNS, "momentum"))) {
      Random random = new Random(4);
      ok(shard, new ShardCommand.Create(ROOT, 0));
      ok(shard, push(ROOT, 0, 0, 0, all(random)));
      List<float[]> expected = new ArrayList<>(List.of(read(shard, ROOT, 0, 1, 0)));
      for (int child = 1; child < 6; child++) {
        BranchRef branch = new BranchRef(child);
        ok(shard, new ShardCommand.Fork(branch, ROOT, 0));
        ok(shard, push(branch, 0, 0, 0, all(random)));
        expected.add(read(shard, branch, 0, 1, 0));
      }
      for (int round = 0; round < 3; round++) {
        for (int branch = 0; branch < 6; branch++) {
          assertThat(read(shard, new BranchRef(branch), 0, 1, 0))
              .as("branch %d", branch)
              .containsExactly(expected.get(branch));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aCheckpointComesBackIntoAStateThatDoesNotFit(
      TestDevice.Schedule schedule, @TempDir Path folder) {
    TestDevice.schedule(schedule, 1);
    TableSpec table = TableSpec.dense("w", ROWS, COLUMNS, "momentum");
    Path file = folder.resolve("checkpoint");
    try (Shard shard = shard(1, 32 << 20, 8, table)) {
      ok(shard, new ShardCommand.Create(ROOT, 0));
      ok(shard, push(ROOT, 0, 0, 0, all(new Random(3))));
      float[] expected = read(shard, ROOT, 0, 1, 0);
      try (var snapshot = shard.snapshot(ROOT)) {
        shard.writeCheckpoint(snapshot, file);
      }
      for (int number = 1; number < 4; number++) {
        BranchRef branch = new BranchRef(number);
        shard.stageCheckpoint(branch, file);
        ok(shard, new ShardCommand.Create(branch, 0));
        assertThat(read(shard, branch, 0, 0, 0)).as("branch %d", number).containsExactly(expected);
      }
      assertThat(read(shard, ROOT, 0, 1, 0)).containsExactly(expected);
    }
  }

  /// The memory of the device ends before the budget: pages leave it earlier.
  @Test
  void lessMemoryThanTheBudgetIsEnough() {
    TableSpec table = TableSpec.dense("w", ROWS, COLUMNS, "momentum");
    try (Shard shard = shard(1, 32 << 20, 400, table)) {
      ok(shard, new ShardCommand.Create(ROOT, 0));
      Random random = new Random(8);
      List<float[]> expected = new ArrayList<>();
      for (int clock = 0; clock < 4; clock++) {
        ok(shard, push(ROOT, 0, clock, 0, all(random)));
      }
      expected.add(read(shard, ROOT, 0, 4, 0));
      TestDevice.failAll("cuMemAlloc", 2);
      for (int child = 1; child < 8; child++) {
        BranchRef branch = new BranchRef(child);
        ok(shard, new ShardCommand.Fork(branch, ROOT, 0));
        ok(shard, push(branch, 0, 0, 0, all(random)));
        expected.add(read(shard, branch, 0, 1, 0));
      }
      for (int branch = 1; branch < 8; branch++) {
        assertThat(read(shard, new BranchRef(branch), 0, 1, 0))
            .containsExactly(expected.get(branch));
      }
      assertThat(read(shard, ROOT, 0, 4, 0)).containsExactly(expected.getFirst());
    }
  }

  @Test
  void aDeviceThatCannotBeOpenedLeavesTheTablesOnTheHost() {
    TableSpec table = TableSpec.dense("w", ROWS, COLUMNS, "sgd");
    TestDevice.fail("cuModuleLoadData", 1, 218);
    long living = TestDevice.living();
    try (Shard shard = shard(1, 32 << 20, 20, table)) {
      ok(shard, new ShardCommand.Create(ROOT, 0));
      ok(shard, push(ROOT, 0, 0, 0, all(new Random(1))));
      assertThat(shard.keepOnDevice(0, 4096)).isEmpty();
      assertThat(TestDevice.living()).as("nothing of the device is held").isEqualTo(living);
    }
  }

  @Test
  void aBudgetThatHoldsNoVisitIsRefusedAndTheDeviceGivenBack() {
    long living = TestDevice.living();
    assertThatThrownBy(() -> shard(1, 32 << 20, 7, TableSpec.dense("w", ROWS, COLUMNS, "sgd")))
        .hasMessageContaining("deviceBytes must hold >= 8 pages");
    assertThat(TestDevice.living()).isEqualTo(living);
  }

  /// Gradients on the device are given back, whatever becomes of their push.
  @Test
  void gradientsOfPushesThatAreNotTakenAreGivenBack() {
    try (Gpu gpu = TestDevice.open();
        MemoryTier tier = gpu.deviceTier();
        Shard shard = shard(1, 32 << 20, 60, TableSpec.matrix("w", ROWS, COLUMNS, "momentum"))) {
      long gradients = tier.allocate(4L * ROWS * COLUMNS).address();
      ok(shard, new ShardCommand.Create(ROOT, 0));
      for (int i = 0; i < 12; i++) {
        BranchRef branch = i % 3 == 0 ? new BranchRef(77) : ROOT;
        long clock = i % 3 == 1 ? 9 : 0;
        RowBatch kept = shard.keepOnDevice(0, gradients).orElseThrow();
        ShardReply reply = now(shard, push(branch, 0, clock, 0, kept));
        switch (i % 3) {
          case 0 ->
              assertThat(((ShardReply.Failed) reply).fault()).isEqualTo(PsFault.NO_SUCH_BRANCH);
          case 1 -> assertThat(((ShardReply.Failed) reply).fault()).isEqualTo(PsFault.CLOCK_ORDER);
          default -> assertThat(reply).isEqualTo(new ShardReply.Acknowledged());
        }
      }
    }
  }
}
