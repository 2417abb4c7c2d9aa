package dev.espalier.ps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.filter.FilterOptions;
import dev.espalier.ps.optim.RuleOptions;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.optim.UpdateRule;
import dev.espalier.ps.table.Factors;
import dev.espalier.ps.table.TableAccess;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.table.ValueCode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What every way of joining workers must keep; a subclass says how they are joined.
@Timeout(60)
public abstract class ParameterServerContract {
  private static final long BUDGET_BYTES = 64L << 20;
  private static final BranchRef ROOT = new BranchRef(0);
  private static final Staleness BULK = Staleness.bulkSynchronous();

  /// Joins servers that are in this process.
  protected abstract Cluster.Network join(List<ParameterServer> servers);

  /// How the servers of a subclass differ from the default.
  protected ParameterServerConfig configure(ParameterServerConfig config) {
    return config;
  }

  /// Rows of one float that fit once, but not twice, when the host's budget is 10 pages.
  protected int rowsThatFitOnceBesideTenPages() {
    return 8 * 1024;
  }

  private Cluster open(int workers, List<TableSpec> tables) {
    return open(workers, tables, Duration.ofSeconds(20), BUDGET_BYTES);
  }

  private Cluster open(int workers, List<TableSpec> tables, Duration timeout, long budgetBytes) {
    return open(
        tables,
        rank ->
            ParameterServerConfig.of(workers, rank, budgetBytes)
                .withPageBytes(4096, 4096)
                .withTimeout(timeout),
        workers);
  }

  private Cluster open(
      List<TableSpec> tables, IntFunction<ParameterServerConfig> ofRank, int workers) {
    return new Cluster(
        IntStream.range(0, workers)
            .mapToObj(rank -> ParameterServer.open(configure(ofRank.apply(rank)), tables))
            .toList(),
        this::join);
  }

  private interface Work {
    void run(WorkerSession session) throws Exception;
  }

  /// Does the same with every session, one after the other.
  private static void each(Cluster cluster, Work work) throws Exception {
    for (int rank = 0; rank < cluster.workers(); rank++) {
      work.run(cluster.session(rank));
    }
  }

  /// Does the same with every session at once.
  private static void together(Cluster cluster, Work work) throws Exception {
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int rank = 0; rank < cluster.workers(); rank++) {
      WorkerSession session = cluster.session(rank);
      all.add(
          CompletableFuture.runAsync(
              () -> {
                try {
                  work.run(session);
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              },
              task -> Thread.ofPlatform().start(task)));
    }
    for (CompletableFuture<Void> one : all) {
      one.get(30, TimeUnit.SECONDS);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void updateIsTheMeanOverTheGlobalBatch(int workers) throws Exception {
    try (Cluster cluster = open(workers, List.of(TableSpec.dense("w", 5, 2, "sgd")))) {
      each(cluster, s -> s.create(ROOT));
      each(cluster, s -> s.select(ROOT, BULK, StepSize.of(0.5)));
      float[] ones = new float[10];
      Arrays.fill(ones, 1);
      each(
          cluster,
          s -> {
            s.add(0, 0, 5, ones, 0);
            s.add(0, 0, 5, ones, 0);
            s.tick(4);
          });
      float[] read = new float[10];
      each(
          cluster,
          s -> {
            s.read(0, 0, 5, read, 0);
            assertThat(read).containsOnly(-0.25f);
          });
    }
  }

  @Test
  void gradientsOfAClockAreOneStepHoweverTheyAreGiven() throws Exception {
    List<TableSpec> tables = List.of(TableSpec.dense("w", 16, 16, "adam"));
    float[] ones = new float[16];
    Arrays.fill(ones, 1);
    var products = new Factors(1, 16, 16, ones, ones);
    float[] expected = new float[256];
    float[] read = new float[256];
    try (Cluster plain = open(2, tables);
        Cluster factored =
            open(
                tables,
                rank ->
                    ParameterServerConfig.of(2, rank, BUDGET_BYTES)
                        .withFilters(new FilterOptions(ValueCode.FLOAT32, 0, 1, 1, true)),
                2)) {
      for (Cluster cluster : List.of(plain, factored)) {
        each(cluster, s -> s.create(ROOT));
        each(cluster, s -> s.select(ROOT, BULK, StepSize.of(0.1)));
      }
      for (int clock = 0; clock < 2; clock++) {
        each(
            plain,
            s -> {
              for (int i = 0; i < 3; i++) {
                s.add(0, 0, 16, products.product(), 0);
              }
              s.tick(1);
            });
        each(
            factored,
            s -> {
              s.add(0, 0, 16, products.product(), 0);
              s.addProducts(0, 0, products);
              s.addProducts(0, 0, products);
              s.tick(1);
            });
        plain.session(0).read(0, 0, 16, expected, 0);
        factored.session(0).read(0, 0, 16, read, 0);
        assertThat(read).isEqualTo(expected);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void readsWhatWasAssignedByRangeAndByRow(int workers) throws Exception {
    try (Cluster cluster = open(workers, List.of(TableSpec.sparse("w", 3000, 3, "adam")))) {
      each(cluster, s -> s.create(ROOT));
      float[] values = new float[9000];
      for (int i = 0; i < values.length; i++) {
        values[i] = i;
      }
      WorkerSession first = cluster.session(0);
      first.select(ROOT, BULK, StepSize.of(1));
      first.assign(0, 0, 3000, values, 0);
      first.assign(0, new long[] {2999, 1, 1500}, 2, new float[] {-1, -2, -3, -4, -5, -6});
      first.awaitQuiet();
      float[] all = new float[9001];
      first.read(0, 0, 3000, all, 1);
      assertThat(all[1 + 8996]).isEqualTo(8996);
      assertThat(Arrays.copyOfRange(all, 8998, 9001)).containsExactly(-1, -2, -3);
      float[] some = new float[12];
      first.read(0, new long[] {1500, 1, 0, 1}, 4, some);
      assertThat(some).containsExactly(4500, 4501, 4502, -4, -5, -6, 0, 1, 2, -4, -5, -6);
    }
  }

  @ParameterizedTest
  @CsvSource({"1,adam", "2,adam", "1,momentum", "2,momentum", "2,adarevision", "2,adadelta"})
  void aForkWithUnchangedSettingContinuesBitForBit(int workers, String rule) throws Exception {
    List<TableSpec> tables =
        List.of(TableSpec.dense("d", 700, 3, rule), TableSpec.sparse("s", 900, 2, rule));
    try (Cluster cluster = open(workers, tables)) {
      BranchRef child = new BranchRef(1);
      BranchRef twin = new BranchRef(2);
      together(
          cluster,
          s -> {
            s.create(ROOT);
            train(s, ROOT, 0, 5);
            s.fork(child, ROOT);
            s.fork(twin, ROOT);
            train(s, ROOT, 5, 9);
            train(s, child, 5, 9);
          });
      float[] parents = parameters(cluster.session(0), ROOT);
      assertThat(parameters(cluster.session(0), child)).isEqualTo(parents);
      assertThat(parameters(cluster.session(0), twin)).isNotEqualTo(parents);
      together(cluster, s -> train(s, twin, 5, 9));
      assertThat(parameters(cluster.session(0), twin)).isEqualTo(parents);
    }
  }

  /// Trains with gradients that depend on the round, the rank and the parameters.
  private static void train(WorkerSession session, BranchRef branch, int from, int to) {
    session.select(branch, BULK, new StepSize(0.01, 0.8));
    float[] dense = new float[2100];
    float[] sparse = new float[40];
    for (int round = from; round < to; round++) {
      Random random = new Random(31L * round);
      session.read(0, 0, 700, dense, 0);
      long[] rows = random.longs(20, 0, 900).distinct().toArray();
      session.read(1, rows, rows.length, sparse);
      for (int i = 0; i < dense.length; i++) {
        dense[i] = dense[i] * 0.5f + random.nextFloat() - 0.5f;
      }
      for (int i = 0; i < sparse.length; i++) {
        sparse[i] = sparse[i] * 0.5f + random.nextFloat();
      }
      session.add(0, 0, 700, dense, 0);
      session.add(1, rows, rows.length, sparse);
      session.tick(3);
    }
  }

  private static float[] parameters(WorkerSession session, BranchRef branch) {
    session.select(branch, BULK, StepSize.noUpdate());
    float[] values = new float[2100 + 1800];
    session.read(0, 0, 700, values, 0);
    session.read(1, 0, 900, values, 2100);
    return values;
  }

  @Test
  void aReadWaitsUntilTheOthersHaveTickedFarEnough() throws Exception {
    try (Cluster cluster = open(2, List.of(TableSpec.dense("w", 2, 1, "sgd")))) {
      Staleness one = new Staleness(1);
      each(cluster, s -> s.create(ROOT));
      each(cluster, s -> s.select(ROOT, one, StepSize.of(1)));
      WorkerSession fast = cluster.session(0);
      WorkerSession slow = cluster.session(1);
      float[] read = new float[2];
      fast.read(0, 0, 2, read, 0);
      fast.tick(0);
      fast.read(0, 0, 2, read, 0);
      fast.tick(0);
      CompletableFuture<Void> waiting =
          CompletableFuture.runAsync(() -> fast.read(0, 0, 2, read, 0));
      assertThatThrownBy(() -> waiting.get(200, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
      slow.add(0, 0, 2, new float[] {2, 4}, 0);
      slow.tick(1);
      waiting.get(10, TimeUnit.SECONDS);
      assertThat(read).containsExactly(-1, -2);
    }
  }

  @ParameterizedTest
  @CsvSource({"2,1", "3,2", "3,7"})
  void aReadMissesNoMoreThanItsStaleness(int workers, int staleness) throws Exception {
    try (Cluster cluster = open(workers, List.of(TableSpec.dense("w", 7, 1, "sgd")))) {
      together(
          cluster,
          s -> {
            s.create(ROOT);
            s.select(ROOT, new Staleness(staleness), StepSize.of(1));
            float[] read = new float[7];
            // Every push adds 1 to every parameter, so a value counts the pushes it has seen.
            float[] gradient = new float[7];
            Arrays.fill(gradient, -workers);
            for (int clock = 0; clock < 60; clock++) {
              s.read(0, 0, 7, read, 0);
              int othersAtLeast = Math.max(0, clock - staleness);
              int othersAtMost = Math.min(60, clock + staleness + 1);
              for (float seen : read) {
                assertThat((int) seen)
                    .as("pushes seen at clock %d", clock)
                    .isBetween(
                        clock + (workers - 1) * othersAtLeast,
                        clock + (workers - 1) * othersAtMost);
              }
              s.add(0, 0, 7, gradient, 0);
              s.tick(1);
            }
          });
    }
  }

  @Test
  void aWaitThatTakesTooLongSaysWhoHasNotTicked() throws Exception {
    try (Cluster cluster =
        open(2, List.of(TableSpec.dense("w", 2, 1, "sgd")), Duration.ofMillis(300), BUDGET_BYTES)) {
      each(cluster, s -> s.create(ROOT));
      each(cluster, s -> s.select(ROOT, BULK, StepSize.of(1)));
      WorkerSession session = cluster.session(0);
      session.tick(1);
      assertThatThrownBy(() -> session.read(0, 0, 2, new float[2], 0))
          .isInstanceOfSatisfying(
              PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.TIMED_OUT))
          .hasMessageContaining("waits for workers [1]");
      session.fork(new BranchRef(1), ROOT);
      assertThatThrownBy(session::awaitQuiet)
          .hasMessageContaining("waits for workers {1}")
          .hasMessageContaining("Fork");
      assertThatThrownBy(() -> session.awaitBarrier("all here"))
          .hasMessageContaining("barrier 'all here' has votes of workers [0] of 2");
    }
  }

  @Test
  void commandsOnAChildWaitForTheForkOfTheOthers() throws Exception {
    try (Cluster cluster = open(2, List.of(TableSpec.dense("w", 4, 1, "sgd")))) {
      BranchRef child = new BranchRef(1);
      each(cluster, s -> s.create(ROOT));
      each(cluster, s -> s.select(ROOT, BULK, StepSize.of(1)));
      WorkerSession early = cluster.session(0);
      WorkerSession late = cluster.session(1);
      early.add(0, 0, 4, new float[] {1, 1, 1, 1}, 0);
      early.tick(1);
      early.fork(child, ROOT);
      early.select(child, BULK, StepSize.of(1));
      early.add(0, 0, 4, new float[] {4, 4, 4, 4}, 0);
      early.tick(1);
      late.add(0, 0, 4, new float[] {3, 3, 3, 3}, 0);
      late.tick(1);
      late.fork(child, ROOT);
      late.select(child, BULK, StepSize.of(1));
      float[] read = new float[4];
      late.read(0, 0, 4, read, 0);
      assertThat(read).containsOnly(-2);
      late.tick(1);
      late.read(0, 0, 4, read, 0);
      assertThat(read).containsOnly(-4);
      early.read(0, 0, 4, read, 0);
      assertThat(read).containsOnly(-4);
      assertThat(late.clock(child)).isEqualTo(1);
    }
  }

  @Test
  void faultsOfEarlierCommandsSurfaceAtTheNextCall() throws Exception {
    try (Cluster cluster = open(1, List.of(TableSpec.dense("w", 4, 1, "sgd")))) {
      WorkerSession session = cluster.session(0);
      session.create(ROOT);
      session.fork(new BranchRef(1), new BranchRef(7));
      assertThatThrownBy(session::awaitQuiet)
          .isInstanceOfSatisfying(
              PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.NO_SUCH_BRANCH))
          .hasMessageContaining("branch 7 was never created");
      session.create(ROOT);
      assertThatThrownBy(session::awaitQuiet)
          .isInstanceOfSatisfying(
              PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.BRANCH_EXISTS));
      session.awaitQuiet();
    }
  }

  @Test
  void aBudgetThatIsTooSmallFailsTheBranchAndNamesTheNumbers() throws Exception {
    int rows = rowsThatFitOnceBesideTenPages();
    List<TableSpec> tables = List.of(TableSpec.dense("w", rows, 1, "sgd"));
    try (Cluster cluster = open(1, tables, Duration.ofSeconds(20), 10 * 4096)) {
      WorkerSession session = cluster.session(0);
      BranchRef child = new BranchRef(1);
      session.create(ROOT);
      session.select(ROOT, BULK, StepSize.of(1));
      session.add(0, 0, rows, new float[rows], 0);
      session.tick(1);
      session.fork(child, ROOT);
      session.select(child, BULK, StepSize.of(1));
      session.add(0, 0, rows, new float[rows], 0);
      session.tick(1);
      assertThatThrownBy(session::awaitQuiet)
          .isInstanceOfSatisfying(
              PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.OUT_OF_MEMORY_BUDGET))
          .hasMessageContaining("of 40960 bytes");
      session.free(child);
      session.free(ROOT);
      session.awaitQuiet();
      assertThat(cluster.pagesInUse()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void aCheckpointRestoresEveryBit(int workers, @TempDir Path directory) throws Exception {
    List<TableSpec> tables =
        List.of(TableSpec.dense("d", 700, 3, "adam"), TableSpec.sparse("s", 900, 2, "adagrad"));
    BranchRef restored = new BranchRef(5);
    float[] expected;
    try (Cluster cluster = open(workers, tables)) {
      together(
          cluster,
          s -> {
            s.create(ROOT);
            train(s, ROOT, 0, 4);
          });
      List<CompletableFuture<Void>> written = new ArrayList<>();
      for (int rank = 0; rank < workers; rank++) {
        written.add(cluster.session(rank).checkpoint(ROOT, directory.resolve("shard-" + rank)));
      }
      for (CompletableFuture<Void> one : written) {
        one.get(20, TimeUnit.SECONDS);
      }
      together(cluster, s -> train(s, ROOT, 4, 7));
      expected = parameters(cluster.session(0), ROOT);
    }
    try (Cluster cluster = open(workers, tables)) {
      for (int rank = 0; rank < workers; rank++) {
        cluster.session(rank).restore(restored, directory.resolve("shard-" + rank));
      }
      together(cluster, s -> train(s, restored, 4, 7));
      assertThat(parameters(cluster.session(0), restored)).isEqualTo(expected);
      each(cluster, s -> s.free(restored));
      each(cluster, WorkerSession::awaitQuiet);
      assertThat(cluster.pagesInUse()).isZero();
    }
  }

  @Test
  void aCheckpointThatCannotBeWrittenSaysSo(@TempDir Path directory) throws Exception {
    try (Cluster cluster = open(1, List.of(TableSpec.dense("w", 4, 1, "sgd")))) {
      WorkerSession session = cluster.session(0);
      session.create(ROOT);
      CompletableFuture<Void> written = session.checkpoint(ROOT, directory.resolve("no/such/file"));
      assertThatThrownBy(() -> written.get(10, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .cause()
          .isInstanceOfSatisfying(
              PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.CHECKPOINT_FAILED));
      session.free(ROOT);
      session.awaitQuiet();
      assertThat(cluster.pagesInUse()).isZero();
    }
  }

  @Test
  void aVoteCannotBeWithdrawnOnceAllHaveVoted() throws Exception {
    try (Cluster cluster = open(2, List.of(TableSpec.dense("w", 4, 1, "sgd")))) {
      CompletableFuture<Boolean> first = cluster.session(0).vote("a");
      assertThat(cluster.session(0).withdraw("a")).isFalse();
      assertThat(first.get(10, TimeUnit.SECONDS)).isFalse();
      CompletableFuture<Boolean> second = cluster.session(0).vote("a");
      assertThat(cluster.session(1).vote("a").get(10, TimeUnit.SECONDS)).isTrue();
      assertThat(second.get(10, TimeUnit.SECONDS)).isTrue();
      assertThat(cluster.session(0).withdraw("a")).isTrue();
      assertThat(cluster.session(1).withdraw("never voted")).isFalse();
    }
  }

  @Test
  void withdrawingRacesWithTheLastVoteButAllAgree() throws Exception {
    try (Cluster cluster = open(2, List.of(TableSpec.dense("w", 4, 1, "sgd")))) {
      for (int round = 0; round < 200; round++) {
        String name = "race-" + round;
        CompletableFuture<Boolean> early = cluster.session(0).vote(name);
        CompletableFuture<Boolean> late =
            CompletableFuture.supplyAsync(() -> cluster.session(1).vote(name).join());
        boolean completed = cluster.session(0).withdraw(name);
        assertThat(early.get(10, TimeUnit.SECONDS)).isEqualTo(completed);
        if (!completed) {
          assertThat(cluster.session(0).vote(name).get(10, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(late.get(10, TimeUnit.SECONDS)).isTrue();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1,0,101", "2,0,102", "3,0,103", "2,1,104", "3,1,105", "2,3,106", "3,3,107", "2,7,108",
    "3,7,109"
  })
  void behavesAsTheNaiveParameterServer(int workers, int staleness, long seed) {
    Random rules = new Random(seed);
    List<String> names =
        UpdateRule.names().stream().filter(name -> !name.equals("adarevision")).toList();
    List<TableSpec> tables = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      String rule = names.get(rules.nextInt(names.size()));
      tables.add(
          new TableSpec(
              "t" + i,
              1 + rules.nextInt(400),
              1 + rules.nextInt(9),
              rules.nextBoolean() ? TableAccess.DENSE : TableAccess.SPARSE,
              rule,
              RuleOptions.defaultsOf(rule).withPenalties(0.01, 0.02)));
    }
    try (Cluster cluster = open(workers, tables)) {
      new RandomCommands(cluster, tables, new Staleness(staleness), seed).run(600);
    }
  }

  /// The same with seeds that nobody has tried; `-Dstress.seconds=60` says for how long.
  @Test
  @Timeout(3600)
  @EnabledIfSystemProperty(named = "stress.seconds", matches = "[1-9]\\d*")
  void behavesAsTheNaiveParameterServerForLong() {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.getLong("stress.seconds", 0));
    Random random = new Random();
    while (System.nanoTime() < end) {
      behavesAsTheNaiveParameterServer(
          1 + random.nextInt(3), random.nextInt(2) * random.nextInt(8), random.nextLong());
    }
  }
}
