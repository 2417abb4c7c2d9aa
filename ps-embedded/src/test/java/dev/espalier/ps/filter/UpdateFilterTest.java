package dev.espalier.ps.filter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.ps.Cluster;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.WorkerSession;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.RuleOptions;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.table.Factors;
import dev.espalier.ps.table.TableAccess;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.table.ValueCode;
import dev.espalier.ps.transport.FrameCodec;
import dev.espalier.ps.transport.OwnShard;
import dev.espalier.ps.transport.ShardEndpoint;
import dev.espalier.ps.transport.ShardRoute;
import dev.espalier.ps.transport.Transport;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
final class UpdateFilterTest {
  private static final int WORKERS = 2;
  private static final int ROWS = 60;
  private static final int COLUMNS = 8;
  private static final BranchRef ROOT = new BranchRef(0);

  static Stream<FilterOptions> filters() {
    return Stream.of(
        new FilterOptions(ValueCode.BFLOAT16, 0, 1, 1, false),
        new FilterOptions(ValueCode.FLOAT16, 0, 1, 1, false),
        new FilterOptions(ValueCode.ONE_BIT, 0, 1, 1, false),
        new FilterOptions(ValueCode.FLOAT32, 2, 1, 1, false),
        new FilterOptions(ValueCode.FLOAT32, 0, 4, 3, false),
        new FilterOptions(ValueCode.ONE_BIT, 1.5, 3, 2, true));
  }

  private static Cluster open(FilterOptions filters) {
    return open(
        filters,
        TableSpec.dense("dense", ROWS, COLUMNS, "momentum"),
        TableSpec.sparse("sparse", ROWS, COLUMNS, "adagrad"));
  }

  private static Cluster open(FilterOptions filters, TableSpec... tables) {
    return open(_ -> {}, filters, tables);
  }

  /// @param carried sees the commands between workers
  private static Cluster open(
      Consumer<ShardCommand> carried, FilterOptions filters, TableSpec... tables) {
    List<ParameterServer> servers = new ArrayList<>();
    for (int rank = 0; rank < WORKERS; rank++) {
      servers.add(
          ParameterServer.open(
              ParameterServerConfig.of(WORKERS, rank, 32 << 20)
                  .withPageBytes(4096, 4096)
                  .withFilters(filters),
              List.of(tables)));
    }
    return new Cluster(servers, opened -> throughFrames(opened, carried));
  }

  /// Own shards are called, others through frames, as between processes.
  private static Cluster.Network throughFrames(
      List<ParameterServer> servers, Consumer<ShardCommand> carried) {
    return new Cluster.Network() {
      @Override
      public Transport transport(int rank) {
        List<ShardRoute> routes = new ArrayList<>();
        for (int shard = 0; shard < servers.size(); shard++) {
          ShardEndpoint endpoint = servers.get(shard).endpoint();
          routes.add(
              shard == rank
                  ? new OwnShard(servers.get(shard).shard())
                  : command -> {
                    carried.accept(command);
                    return endpoint
                        .handle(FrameCodec.encode(command))
                        .thenApply(FrameCodec::decodeReply);
                  });
        }
        return new Transport(routes);
      }

      @Override
      public void close() {}
    };
  }

  private static void create(Cluster cluster) {
    for (int rank = 0; rank < WORKERS; rank++) {
      cluster.session(rank).create(ROOT);
    }
    select(cluster, ROOT);
  }

  private static void select(Cluster cluster, BranchRef branch) {
    for (int rank = 0; rank < WORKERS; rank++) {
      cluster.session(rank).select(branch, new Staleness(100), StepSize.of(0.02));
    }
  }

  /// Clocks in which workers take turns; gradients depend on what was read and on the clock.
  private static void clocks(Cluster cluster, int from, int count) {
    float[] dense = new float[ROWS * COLUMNS];
    for (int clock = from; clock < from + count; clock++) {
      for (int rank = 0; rank < WORKERS; rank++) {
        WorkerSession session = cluster.session(rank);
        Random random = new Random(31L * clock + rank);
        session.read(0, 0, ROWS, dense, 0);
        long[] rows = random.longs(0, ROWS).distinct().limit(10).toArray();
        float[] sparse = new float[10 * COLUMNS];
        session.read(1, rows, 10, sparse);
        for (int i = 0; i < dense.length; i++) {
          dense[i] = dense[i] - i % 7 + (float) random.nextGaussian();
        }
        for (int i = 0; i < sparse.length; i++) {
          sparse[i] = sparse[i] - i % 5 + (float) random.nextGaussian();
        }
        session.add(0, 0, ROWS, dense, 0);
        session.add(1, rows, 10, sparse);
        session.addProducts(0, 5, factors(random));
        session.tick(4);
      }
    }
  }

  private static Factors factors(Random random) {
    float[] left = new float[20];
    float[] right = new float[COLUMNS];
    for (int i = 0; i < left.length; i++) {
      left[i] = (float) random.nextGaussian();
    }
    for (int i = 0; i < right.length; i++) {
      right[i] = (float) random.nextGaussian();
    }
    return new Factors(1, 20, COLUMNS, left, right);
  }

  private static float[] model(Cluster cluster, BranchRef branch) {
    float[] model = new float[2 * ROWS * COLUMNS];
    WorkerSession session = cluster.session(0);
    session.select(branch, new Staleness(100), StepSize.noUpdate());
    session.read(0, 0, ROWS, model, 0);
    session.read(1, 0, ROWS, model, ROWS * COLUMNS);
    return model;
  }

  @ParameterizedTest
  @MethodSource("filters")
  void aForkGoesOnAsItsParent(FilterOptions filters) {
    try (Cluster cluster = open(filters);
        Cluster twin = open(filters)) {
      create(cluster);
      create(twin);
      clocks(cluster, 0, 7);
      BranchRef child = new BranchRef(1);
      for (int rank = 0; rank < WORKERS; rank++) {
        cluster.session(rank).fork(child, ROOT);
      }
      // The parent's own clocks must not disturb the child.
      clocks(cluster, 100, 5);
      select(cluster, child);
      clocks(cluster, 7, 8);
      clocks(twin, 0, 15);
      assertThat(model(cluster, child)).containsExactly(model(twin, ROOT));
    }
  }

  @ParameterizedTest
  @MethodSource("filters")
  void aRestoredCheckpointGoesOnAsItsBranch(FilterOptions filters, @TempDir Path folder) {
    try (Cluster twin = open(filters)) {
      create(twin);
      clocks(twin, 0, 7);
      var written =
          Stream.of(0, 1)
              .map(rank -> twin.session(rank).checkpoint(ROOT, folder.resolve("shard" + rank)))
              .toList();
      written.forEach(file -> file.join());
      clocks(twin, 7, 8);
      try (Cluster cluster = open(filters)) {
        for (int rank = 0; rank < WORKERS; rank++) {
          cluster.session(rank).restore(ROOT, folder.resolve("shard" + rank));
        }
        select(cluster, ROOT);
        clocks(cluster, 7, 8);
        assertThat(model(cluster, ROOT)).containsExactly(model(twin, ROOT));
      }
    }
  }

  @Test
  void whatIsHeldBackComesLater() {
    var filters = new FilterOptions(ValueCode.FLOAT32, 0, 3, 1, false);
    try (Cluster cluster = open(filters)) {
      create(cluster);
      float[] ones = new float[ROWS * COLUMNS];
      Arrays.fill(ones, 1);
      for (int clock = 0; clock < 3; clock++) {
        for (int rank = 0; rank < WORKERS; rank++) {
          assertThat(model(cluster, ROOT)[0]).as("clock %d", clock).isZero();
          cluster.session(rank).select(ROOT, Staleness.bulkSynchronous(), StepSize.of(1));
          cluster.session(rank).add(0, 0, ROWS, ones, 0);
          cluster.session(rank).tick(2);
        }
      }
      // As far as three clocks step that send their two sums of ones over four samples.
      assertThat(model(cluster, ROOT)).startsWith(-1.5f);
    }
  }

  @Test
  void rowsThatTheLastOfTheClocksDoesNotTouchAreSentWithIt() {
    var filters = new FilterOptions(ValueCode.FLOAT32, 0, 3, 1, false);
    try (Cluster cluster = open(filters)) {
      create(cluster);
      long[][] touched = {{3, 40}, {40, 41}, {7}};
      for (long[] rows : touched) {
        for (int rank = 0; rank < WORKERS; rank++) {
          WorkerSession session = cluster.session(rank);
          session.select(ROOT, Staleness.bulkSynchronous(), StepSize.of(1));
          float[] ones = new float[rows.length * COLUMNS];
          Arrays.fill(ones, 1);
          session.add(1, rows, rows.length, ones);
          session.tick(2);
        }
      }
      float[] sparse = Arrays.copyOfRange(model(cluster, ROOT), ROWS * COLUMNS, 2 * ROWS * COLUMNS);
      for (int row = 0; row < ROWS; row++) {
        // AdaGrad's first step is as long as the rate, whatever the gradient.
        boolean isTouched = List.of(3, 7, 40, 41).contains(row);
        assertThat(sparse[row * COLUMNS])
            .as("row %d", row)
            .isCloseTo(isTouched ? -1 : 0, within(1e-3f));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("filters")
  void whatIsAddedIsThereInTheNextClock(FilterOptions filters) {
    try (Cluster cluster =
        open(
            filters,
            TableSpec.dense("counts", ROWS, COLUMNS, "add"),
            TableSpec.sparse("rows", ROWS, COLUMNS, "add"),
            TableSpec.dense("weights", ROWS, COLUMNS, "adam"))) {
      create(cluster);
      Random random = new Random(3);
      float[] counts = new float[ROWS * COLUMNS];
      float[] read = new float[ROWS * COLUMNS];
      for (int clock = 0; clock < 9; clock++) {
        for (int rank = 0; rank < WORKERS; rank++) {
          WorkerSession session = cluster.session(rank);
          session.select(ROOT, Staleness.bulkSynchronous(), StepSize.of(1));
          float[] change = new float[ROWS * COLUMNS];
          for (int i = 0; i < change.length; i++) {
            change[i] = random.nextInt(5) - 2;
            counts[i] += change[i];
          }
          session.add(0, 0, ROWS, change, 0);
          session.add(1, 0, ROWS, change, 0);
          session.add(2, 0, ROWS, change, 0);
          session.tick(3);
        }
        for (int table = 0; table < 2; table++) {
          cluster.session(0).read(table, 0, ROWS, read, 0);
          assertThat(read).as("table %d after clock %d", table, clock).containsExactly(counts);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = TableAccess.class, names = "SPARSE", mode = EnumSource.Mode.EXCLUDE)
  void betweenTwoFetchesNoReadLeaves(TableAccess access) {
    var filters = new FilterOptions(ValueCode.FLOAT32, 0, 1, 3, false);
    var table = new TableSpec("w", ROWS, COLUMNS, access, "sgd", RuleOptions.defaults());
    List<Integer> reads = new ArrayList<>();
    try (Cluster cluster =
        open(
            command -> {
              if (command instanceof ShardCommand.Read read) {
                reads.add(read.worker());
              }
            },
            filters,
            table)) {
      create(cluster);
      float[] values = new float[ROWS * COLUMNS];
      for (int clock = 0; clock < 6; clock++) {
        for (int rank = 0; rank < WORKERS; rank++) {
          WorkerSession session = cluster.session(rank);
          session.read(0, 0, ROWS, values, 0);
          session.read(0, new long[] {3, ROWS - 1}, 2, values);
          session.add(0, 0, ROWS, values, 0);
          session.tick(1);
        }
      }
    }
    assertThat(reads).containsExactly(0, 1, 0, 1);
  }

  @ParameterizedTest
  @MethodSource("filters")
  void aClockThatChangesNothingChangesNoFilterEither(FilterOptions filters) {
    float[] expected;
    try (Cluster cluster = open(filters)) {
      create(cluster);
      clocks(cluster, 0, 8);
      expected = parameters(cluster);
    }
    try (Cluster cluster = open(filters)) {
      create(cluster);
      for (int clock = 0; clock < 8; clock++) {
        clocks(cluster, clock, 1);
        look(cluster);
        select(cluster, ROOT);
      }
      assertThat(parameters(cluster)).containsExactly(expected);
    }
  }

  /// A clock at rate 0, as of an evaluation that runs the training code.
  private static void look(Cluster cluster) {
    float[] values = new float[ROWS * COLUMNS];
    Arrays.fill(values, 3);
    for (int rank = 0; rank < WORKERS; rank++) {
      WorkerSession session = cluster.session(rank);
      session.select(ROOT, new Staleness(100), StepSize.noUpdate());
      session.add(0, 0, ROWS, values, 0);
      session.add(1, new long[] {1, 59}, 2, values);
      session.tick(4);
    }
  }

  private static float[] parameters(Cluster cluster) {
    float[] values = new float[2 * ROWS * COLUMNS];
    WorkerSession session = cluster.session(0);
    session.select(ROOT, new Staleness(100), StepSize.noUpdate());
    session.read(0, 0, ROWS, values, 0);
    session.read(1, 0, ROWS, values, ROWS * COLUMNS);
    return values;
  }

  @Test
  void rowsByNumberComeFromTheCopyToo() {
    var filters = new FilterOptions(ValueCode.FLOAT32, 0, 1, 3, false);
    try (Cluster cluster = open(filters)) {
      create(cluster);
      long[] rows = {5, 50, 5, 17};
      float[] all = new float[ROWS * COLUMNS];
      float[] some = new float[rows.length * COLUMNS];
      for (int clock = 0; clock < 7; clock++) {
        WorkerSession session = cluster.session(0);
        session.announce(0, rows, rows.length);
        clocks(cluster, clock, 1);
        session.read(0, 0, ROWS, all, 0);
        session.read(0, rows, rows.length, some);
        for (int i = 0; i < rows.length; i++) {
          assertThat(Arrays.copyOfRange(some, i * COLUMNS, (i + 1) * COLUMNS))
              .as("row %d after clock %d", rows[i], clock)
              .containsExactly(
                  Arrays.copyOfRange(all, (int) rows[i] * COLUMNS, (int) (rows[i] + 1) * COLUMNS));
        }
      }
    }
  }

  @Test
  void boundsAreNamed() {
    assertThatThrownBy(() -> new FilterOptions(ValueCode.FLOAT32, -1, 1, 1, false))
        .hasMessage("significance must be in [0, 100] but is -1.0");
    assertThatThrownBy(() -> new FilterOptions(ValueCode.FLOAT32, 0, 0, 1, false))
        .hasMessage("pushEvery must be in [1, 1000] but is 0");
    assertThatThrownBy(() -> new FilterOptions(ValueCode.FLOAT32, 0, 1, 1001, false))
        .hasMessage("fetchEvery must be in [1, 1000] but is 1001");
  }

  /// Such a table would be fetched once for ever if only reads in the first clock of an interval
  /// fetched it.
  @Test
  void aTableThatIsReadInOtherClocksThanThoseThatBeginAnIntervalIsFetchedAllTheSame() {
    try (Cluster cluster =
        open(
            new FilterOptions(ValueCode.FLOAT32, 0, 1, 2, false),
            TableSpec.dense("even", 1, 1, "sgd"),
            TableSpec.dense("odd", 1, 1, "sgd"))) {
      create(cluster);
      List<Float> seen = new ArrayList<>();
      for (int clock = 0; clock < 8; clock++) {
        int table = clock % 2;
        for (int rank = 0; rank < WORKERS; rank++) {
          WorkerSession session = cluster.session(rank);
          session.select(ROOT, new Staleness(100), StepSize.of(1));
          float[] value = new float[1];
          session.read(table, 0, 1, value, 0);
          if (rank == 1) {
            seen.add(value[0]);
          }
          session.add(table, 0, 1, new float[] {rank == 0 ? -2 : 0}, 0);
          session.tick(1);
        }
      }
      // Its own step of this clock worker 0 has taken before worker 1 reads.
      assertThat(seen).containsExactly(1f, 1f, 2f, 2f, 3f, 3f, 4f, 4f);
    }
  }
}
