package dev.espalier.ps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.plan.PlanOptions;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.OwnShard;
import dev.espalier.ps.transport.ShardRoute;
import dev.espalier.ps.transport.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Clocks along a plan give the bits of clocks without one.
final class PlannedAccessTest {
  private static final Staleness BULK = Staleness.bulkSynchronous();
  private static final BranchRef ROOT = new BranchRef(0);
  private static final long BUDGET_BYTES = 64L << 20;
  private static final List<TableSpec> TABLES =
      List.of(
          TableSpec.dense("d", 90, 3, "momentum"),
          TableSpec.sparse("s", 4000, 1, "adagrad"),
          TableSpec.sparse("a", 500, 5, "adarevision"),
          TableSpec.dense("l", 700, 20, "adam"));

  private static final List<TableSpec> SUMS = List.of(TableSpec.sparse("sums", 4, 1, "add"));

  /// Counts what goes to a shard.
  private static final class CountingRoute implements ShardRoute {
    private final ShardRoute to;
    private int reads;
    private int pushes;
    private @Nullable RowTarget target;

    CountingRoute(ShardRoute to) {
      this.to = to;
    }

    @Override
    public CompletableFuture<ShardReply> send(ShardCommand command) {
      reads += command instanceof ShardCommand.Read ? 1 : 0;
      pushes += command instanceof ShardCommand.Push ? 1 : 0;
      return to.send(command);
    }

    @Override
    public CompletableFuture<ShardReply> read(ShardCommand.Read read, RowTarget into) {
      reads++;
      target = into;
      return to.read(read, into);
    }

    @Override
    public void close() {
      to.close();
    }
  }

  /// An access of a made-up program; adds what its seed and the last read give.
  private record Access(boolean isUpdate, int table, long first, int count, long[] rows) {
    static Access random(Random random) {
      int table = random.nextInt(TABLES.size());
      int all = (int) TABLES.get(table).rows();
      boolean isUpdate = random.nextBoolean();
      if (random.nextBoolean()) {
        int first = random.nextInt(all);
        return new Access(
            isUpdate, table, first, random.nextInt(1 + Math.min(20, all - first)), new long[0]);
      }
      return new Access(isUpdate, table, 0, 0, random.longs(random.nextInt(30), 0, all).toArray());
    }

    /// To one of few rows of a single float.
    static Access single(Random random) {
      return new Access(random.nextBoolean(), 1, random.nextInt(16), 1, new long[0]);
    }

    /// To rows that are worth asking for anew, and in between to others.
    static Access longRun(Random random) {
      if (random.nextInt(3) == 0) {
        return random(random);
      }
      int count = 210 + random.nextInt(200);
      return new Access(random.nextBoolean(), 3, random.nextInt(700 - count), count, new long[0]);
    }

    int rowCount() {
      return rows.length == 0 ? count : rows.length;
    }

    void run(WorkerSession session, float[] last, Random values) {
      int length = rowCount() * TABLES.get(table).columns();
      float[] numbers = new float[length];
      if (!isUpdate) {
        if (rows.length == 0) {
          session.read(table, first, count, numbers, 0);
        } else {
          session.read(table, rows, rows.length, numbers);
        }
        System.arraycopy(numbers, 0, last, 0, Math.min(length, last.length));
        return;
      }
      for (int i = 0; i < length; i++) {
        numbers[i] = last[i % last.length] + (float) values.nextGaussian();
      }
      if (rows.length == 0) {
        session.add(table, first, count, numbers, 0);
      } else {
        session.add(table, rows, rows.length, numbers);
      }
    }
  }

  private static Cluster open(int workers) {
    List<ParameterServer> servers = new ArrayList<>();
    for (int rank = 0; rank < workers; rank++) {
      servers.add(
          ParameterServer.open(
              ParameterServerConfig.of(workers, rank, BUDGET_BYTES).withPageBytes(4096, 4096),
              TABLES));
    }
    return new Cluster(servers, new LoopbackTest()::join);
  }

  private static Stream<Arguments> ways() {
    return Stream.of(1, 2, 3)
        .flatMap(workers ->
            Stream.of(
                    PlanOptions.all(),
                    PlanOptions.all().withoutPacking(),
                    PlanOptions.all().withoutSlots(),
                    PlanOptions.all().withoutPrefetching(),
                    PlanOptions.all().withoutCombining())
                .map(options -> Arguments.of(workers, options)));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void plannedClocksGiveTheBitsOfUnplannedOnes(int workers, PlanOptions options) {
    planGivesTheSame(workers, options, Access::random);
  }

  @ParameterizedTest
  @MethodSource("ways")
  void plannedClocksOfSingleFloatsGiveTheBitsOfUnplannedOnes(int workers, PlanOptions options) {
    planGivesTheSame(workers, options, Access::single);
  }

  @ParameterizedTest
  @MethodSource("ways")
  void plannedClocksOfLongRunsGiveTheBitsOfUnplannedOnes(int workers, PlanOptions options) {
    planGivesTheSame(workers, options, Access::longRun);
  }

  private static void planGivesTheSame(
      int workers, PlanOptions options, Function<Random, Access> accesses) {
    for (long seed = 1; seed <= 2; seed++) {
      try (Cluster planned = open(workers);
          Cluster plain = open(workers)) {
        for (int rank = 0; rank < workers; rank++) {
          planned.session(rank).planRepeatedAccess(options);
        }
        float[] expected = train(plain, seed, accesses);
        // Sums that are not combined before they leave are added up in another order.
        float tolerance = options.combinesUpdates() ? 0 : 1e-3f;
        assertThat(train(planned, seed, accesses))
            .as("seed %d, %d workers, %s", seed, workers, options)
            .containsExactly(expected, offset(tolerance));
      }
    }
  }

  /// Repeated clocks, clocks that leave the plan in several ways, forks and evaluations.
  private static float[] train(Cluster cluster, long seed, Function<Random, Access> accesses) {
    Random random = new Random(seed);
    List<List<Access>> programs = new ArrayList<>();
    for (int rank = 0; rank < cluster.workers(); rank++) {
      programs.add(
          IntStream.range(0, 3 + random.nextInt(12))
              .mapToObj(_ -> accesses.apply(random))
              .toList());
    }
    each(cluster, session -> session.create(ROOT));
    BranchRef branch = ROOT;
    for (int clock = 0; clock < 24; clock++) {
      if (clock % 7 == 6) {
        BranchRef parent = branch;
        BranchRef child = new BranchRef(clock);
        each(cluster, session -> session.fork(child, parent));
        branch = child;
      }
      BranchRef now = branch;
      int deviation = clock > 5 && clock % 5 == 0 ? 1 + random.nextInt(3) : 0;
      long valueSeed = random.nextLong();
      Access extra = accesses.apply(random);
      for (int rank = 0; rank < cluster.workers(); rank++) {
        WorkerSession session = cluster.session(rank);
        session.select(now, BULK, StepSize.of(0.05));
        clock(session, programs.get(rank), deviation, extra, new Random(valueSeed + rank));
      }
    }
    float[] all = new float[90 * 3 + 4000 + 500 * 5 + 700 * 20];
    WorkerSession session = cluster.session(0);
    session.select(branch, BULK, StepSize.noUpdate());
    session.read(0, 0, 90, all, 0);
    session.read(1, 0, 4000, all, 270);
    session.read(2, 0, 500, all, 4270);
    session.read(3, 0, 700, all, 6770);
    return all;
  }

  private static void clock(
      WorkerSession session, List<Access> program, int deviation, Access extra, Random values) {
    float[] last = new float[16];
    for (int i = 0; i < program.size(); i++) {
      if (deviation == 1 && i == program.size() / 2) {
        extra.run(session, last, values);
      }
      if (deviation == 2 && i == program.size() - 1) {
        break;
      }
      program.get(i).run(session, last, values);
    }
    if (deviation == 3) {
      extra.run(session, last, values);
    }
    session.tick(3);
  }

  private interface Work {
    void run(WorkerSession session);
  }

  private static void each(Cluster cluster, Work work) {
    for (int rank = 0; rank < cluster.workers(); rank++) {
      work.run(cluster.session(rank));
    }
  }

  private interface CountedWork {
    void run(CountingRoute route, WorkerSession session);
  }

  /// Lets a lone worker work on a new branch, and counts what goes to its shard.
  private static void counted(List<TableSpec> tables, CountedWork work) {
    try (ParameterServer server =
        ParameterServer.open(ParameterServerConfig.of(1, 0, BUDGET_BYTES), tables)) {
      var route = new CountingRoute(new OwnShard(server.shard()));
      try (WorkerSession session = server.session(new Transport(List.of(route)))) {
        session.create(ROOT);
        work.run(route, session);
      }
    }
  }

  @Test
  void aPlannedClockIsOneReadATableAndOnePush() {
    counted(
        TABLES,
        (route, session) -> {
          session.select(ROOT, BULK, StepSize.of(0.1));
          session.beginVirtualIteration();
          rowByRow(session);
          assertThat(session.endVirtualIteration(PlanOptions.all()).accesses()).isEqualTo(400);

          for (int clock = 0; clock < 3; clock++) {
            route.reads = 0;
            route.pushes = 0;
            rowByRow(session);
            session.tick(1);
            assertThat(route.reads).isEqualTo(1);
            assertThat(route.pushes).isEqualTo(1);
          }
        });
  }

  @Test
  void longRunsAreReadFromWhereTheyLieToWhereTheyAreWanted() {
    counted(
        TABLES,
        (route, session) -> {
          session.select(ROOT, BULK, StepSize.of(0.1));
          session.planRepeatedAccess(PlanOptions.all());
          float[] values = new float[700 * 20];
          float[] gradient = new float[90 * 3];
          for (int clock = 0; clock < 6; clock++) {
            route.reads = 0;
            session.read(3, 0, 300, values, 0);
            session.read(3, 300, 400, values, 6000);
            session.read(3, 100, 300, values, 0);
            assertThat(route.target).extracting(RowTarget::values).isSameAs(values);
            session.read(0, 0, 45, gradient, 0);
            session.read(0, 45, 45, gradient, 0);
            session.add(3, 0, 700, values, 0);
            session.tick(1);
            boolean isPlanned = clock > 1;
            assertThat(route.reads).as("clock %d", clock).isEqualTo(isPlanned ? 4 : 5);
          }
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void announcedReadsGiveTheBitsOfOthers(int workers) {
    try (Cluster announced = open(workers);
        Cluster plain = open(workers)) {
      assertThat(trainOnBatches(announced, true)).containsExactly(trainOnBatches(plain, false));
    }
  }

  /// Minibatches of random rows, now and then another one than the announced, with a fork between.
  private static float[] trainOnBatches(Cluster cluster, boolean isAnnounced) {
    each(cluster, session -> session.create(ROOT));
    BranchRef branch = ROOT;
    for (int clock = 0; clock < 20; clock++) {
      if (clock == 10) {
        branch = new BranchRef(1);
        each(cluster, session -> session.fork(new BranchRef(1), ROOT));
      }
      for (int rank = 0; rank < cluster.workers(); rank++) {
        WorkerSession session = cluster.session(rank);
        session.select(branch, BULK, StepSize.of(0.05));
        long[] rows = batch(clock, rank);
        float[] values = new float[rows.length];
        session.read(1, rows, rows.length, values);
        for (int i = 0; i < values.length; i++) {
          values[i] += rank + i;
        }
        session.add(1, rows, rows.length, values);
        if (isAnnounced) {
          long[] next = batch(clock + (clock % 4 == 3 ? 2 : 1), rank);
          session.announce(1, next, next.length);
        }
        session.tick(2);
      }
    }
    float[] all = new float[4000];
    WorkerSession session = cluster.session(0);
    session.select(branch, BULK, StepSize.noUpdate());
    session.read(1, 0, 4000, all, 0);
    return all;
  }

  private static long[] batch(int clock, int rank) {
    return new Random(31L * clock + rank).longs(50, 0, 4000).toArray();
  }

  private static void rowByRow(WorkerSession session) {
    float[] value = new float[1];
    for (int row = 0; row < 200; row++) {
      session.read(1, 3 * row, 1, value, 0);
      session.add(1, 2 * row, 1, value, 0);
    }
  }

  @Test
  void aVirtualIterationReadsZerosAndChangesNothing() {
    try (ParameterServer server =
            ParameterServer.open(ParameterServerConfig.of(1, 0, BUDGET_BYTES), TABLES);
        WorkerSession session = server.session()) {
      session.create(ROOT);
      session.select(ROOT, BULK, StepSize.of(1));
      session.assign(1, 7, 1, new float[] {5}, 0);
      float[] read = {1};

      session.beginVirtualIteration();
      session.read(1, 7, 1, read, 0);
      session.add(1, 7, 1, new float[] {100}, 0);
      assertThatThrownBy(() -> session.tick(1)).isInstanceOf(IllegalStateException.class);
      session.endVirtualIteration(PlanOptions.all());

      assertThat(read).containsExactly(0);
      session.read(1, 7, 1, read, 0);
      assertThat(read).containsExactly(5);
      session.add(1, 7, 1, new float[] {0}, 0);
      session.tick(1);
      session.read(1, 7, 1, read, 0);
      assertThat(read).containsExactly(5);
    }
  }

  @Test
  void aPlanChecksArraysAndSeesWhatIsSetInsideAClock() {
    try (ParameterServer server =
            ParameterServer.open(ParameterServerConfig.of(1, 0, BUDGET_BYTES), TABLES);
        WorkerSession session = server.session()) {
      session.create(ROOT);
      session.select(ROOT, BULK, StepSize.of(1));
      session.beginVirtualIteration();
      float[] value = new float[1];
      session.read(1, 7, 1, value, 0);
      session.read(1, 8, 1, value, 0);
      session.add(1, 8, 1, value, 0);
      session.endVirtualIteration(PlanOptions.all());

      session.read(1, 7, 1, value, 0);
      for (int offset : new int[] {-1, 1}) {
        assertThatThrownBy(() -> session.read(1, 8, 1, value, offset))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("from index " + offset);
      }
      session.assign(1, 8, 1, new float[] {4}, 0);
      session.read(1, 8, 1, value, 0);
      assertThat(value).containsExactly(4);
      assertThatThrownBy(() -> session.add(1, 8, 1, value, 1))
          .isInstanceOf(IllegalArgumentException.class);
      session.add(1, 8, 1, value, 0);
      session.tick(1);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aClockThatSelectsItsBranchAgainKeepsItsUpdates(boolean leavesPlan) {
    try (ParameterServer server =
            ParameterServer.open(ParameterServerConfig.of(1, 0, BUDGET_BYTES), SUMS);
        WorkerSession session = server.session()) {
      session.create(ROOT);
      session.select(ROOT, BULK, StepSize.of(1));
      session.beginVirtualIteration();
      addOne(session, 1);
      addOne(session, 2);
      session.endVirtualIteration(PlanOptions.all());

      addOne(session, leavesPlan ? 3 : 1);
      session.select(ROOT, BULK, StepSize.of(1));
      addOne(session, leavesPlan ? 1 : 2);
      addOne(session, 2);
      session.tick(1);

      float[] read = new float[4];
      session.read(0, 0, 4, read, 0);
      assertThat(read)
          .containsExactly(leavesPlan ? new float[] {0, 1, 1, 1} : new float[] {0, 1, 2, 0});
      session.fork(new BranchRef(1), ROOT);
    }
  }

  @Test
  void aPlanHoldsAllOfAClockThatSelectsItsBranchAgain() {
    counted(
        SUMS,
        (route, session) -> {
          session.select(ROOT, BULK, StepSize.of(1));
          session.planRepeatedAccess(PlanOptions.all());
          float[] read = new float[2];
          for (int clock = 0; clock < 3; clock++) {
            route.reads = 0;
            session.read(0, 0, 1, read, 0);
            addOne(session, 0);
            session.select(ROOT, BULK, StepSize.of(1));
            session.read(0, 1, 1, read, 1);
            addOne(session, 1);
            session.tick(1);
          }
          assertThat(route.reads).isEqualTo(1);
          assertThat(read).containsExactly(2, 2);
        });
  }

  private static void addOne(WorkerSession session, int row) {
    session.add(0, row, 1, new float[] {1}, 0);
  }

  @Test
  void virtualIterationsBeginAndEndInTurn() {
    try (ParameterServer server =
            ParameterServer.open(ParameterServerConfig.of(1, 0, BUDGET_BYTES), TABLES);
        WorkerSession session = server.session()) {
      assertThatThrownBy(() -> session.endVirtualIteration(PlanOptions.all()))
          .hasMessage("no virtual iteration has begun");
      session.beginVirtualIteration();
      assertThatThrownBy(session::beginVirtualIteration)
          .hasMessage("a virtual iteration has begun already");
    }
  }
}
