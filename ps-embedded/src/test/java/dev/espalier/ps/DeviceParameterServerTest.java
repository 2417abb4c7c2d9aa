package dev.espalier.ps;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.gpu.TestDevice;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.optim.UpdateRule;
import dev.espalier.ps.table.TableAccess;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A parameter server on a device trains to the bits of one on the host, whatever fits.
final class DeviceParameterServerTest {
  private static final int PAGE_BYTES = 8192;
  private static final long HOST_BYTES = 64 << 20;

  @BeforeEach
  void openDevice() {
    TestDevice.open().close();
  }

  @AfterEach
  void runLate() {
    TestDevice.schedule(TestDevice.Schedule.LATE, 0);
  }

  @ParameterizedTest
  @ValueSource(ints = {12, 40, 1000})
  void bothGiveTheSameBits(int devicePages) {
    TestDevice.schedule(
        switch (devicePages) {
          case 12 -> TestDevice.Schedule.BY_CHANCE;
          case 40 -> TestDevice.Schedule.EARLY;
          default -> TestDevice.Schedule.LATE;
        },
        7);
    List<TableSpec> tables = new ArrayList<>();
    for (String rule : UpdateRule.names()) {
      tables.add(
          tables.size() % 2 == 0
              ? TableSpec.dense(rule, 61, 33, rule)
              : TableSpec.sparse(rule, 150, 16, rule));
    }
    ParameterServerConfig host =
        ParameterServerConfig.of(1, 0, HOST_BYTES).withPageBytes(PAGE_BYTES, PAGE_BYTES);
    List<float[]> expected = train(host, tables);
    List<float[]> actual = train(host.withDevice((long) devicePages * PAGE_BYTES), tables);
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      assertThat(actual.get(i)).as("read %d", i).containsExactly(expected.get(i));
    }
  }

  /// Trains some branches and returns what was read on the way.
  private static List<float[]> train(ParameterServerConfig config, List<TableSpec> tables) {
    List<float[]> read = new ArrayList<>();
    Random random = new Random(3);
    try (ParameterServer server = ParameterServer.open(config, tables);
        WorkerSession session = server.session()) {
      BranchRef root = new BranchRef(0);
      session.create(root);
      clocks(session, root, tables, random, read, 4);
      BranchRef trial = new BranchRef(1);
      session.fork(trial, root);
      clocks(session, trial, tables, random, read, 3);
      clocks(session, root, tables, random, read, 2);
      session.free(root);
      clocks(session, trial, tables, random, read, 2);
      session.free(trial);
      assertThat(server.stats().pagesInUse()).isZero();
    }
    return read;
  }

  private static void clocks(
      WorkerSession session,
      BranchRef branch,
      List<TableSpec> tables,
      Random random,
      List<float[]> read,
      int count) {
    session.select(branch, Staleness.bulkSynchronous(), new StepSize(0.05, 0.8));
    for (int clock = 0; clock < count; clock++) {
      for (int table = 0; table < tables.size(); table++) {
        TableSpec spec = tables.get(table);
        int rows = (int) spec.rows();
        float[] all = new float[rows * spec.columns()];
        session.read(table, 0, rows, all, 0);
        read.add(all);
        if (spec.access() == TableAccess.DENSE) {
          session.add(table, 0, rows, gaussian(random, all.length), 0);
        } else {
          long[] keys = random.longs(7, 0, rows).distinct().toArray();
          float[] some = new float[keys.length * spec.columns()];
          session.read(table, keys, keys.length, some);
          read.add(some);
          session.add(table, keys, keys.length, gaussian(random, some.length));
        }
      }
      session.tick(5);
    }
  }

  private static float[] gaussian(Random random, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
