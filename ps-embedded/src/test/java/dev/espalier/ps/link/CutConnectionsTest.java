package dev.espalier.ps.link;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.Cluster;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.WorkerSession;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.Transport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Connections that are cut anywhere, also inside a frame or a handshake, lose and double nothing.
@Timeout(120)
class CutConnectionsTest {
  private static final int WORKERS = 2;
  private static final int ROWS = 400;
  private static final int COLUMNS = 16;
  private static final int BATCH = 40;
  private static final int LISTS = 12;
  private static final int CLOCKS = 60;
  private static final BranchRef ROOT = new BranchRef(0);
  private static final BranchRef CHILD = new BranchRef(1);

  /// Training whose every bit depends on all that was read before.
  ///
  /// @param disturbance of each clock of the first worker, whose links have just been used
  private static float[] train(Cluster cluster, Runnable disturbance) throws Exception {
    List<CompletableFuture<Void>> workers = new ArrayList<>();
    for (int rank = 0; rank < WORKERS; rank++) {
      int worker = rank;
      workers.add(
          CompletableFuture.runAsync(
              () -> train(cluster.session(worker), worker, worker == 0 ? disturbance : () -> {}),
              task -> Thread.ofPlatform().start(task)));
    }
    for (CompletableFuture<Void> worker : workers) {
      worker.get(90, TimeUnit.SECONDS);
    }
    float[] model = new float[2 * ROWS * COLUMNS];
    WorkerSession session = cluster.session(0);
    session.select(CHILD, Staleness.bulkSynchronous(), StepSize.noUpdate());
    session.read(0, 0, ROWS, model, 0);
    session.read(1, 0, ROWS, model, ROWS * COLUMNS);
    return model;
  }

  private static void train(WorkerSession session, int worker, Runnable disturbance) {
    Random random = new Random(worker);
    session.create(ROOT);
    session.select(ROOT, Staleness.bulkSynchronous(), StepSize.of(0.1));
    clocks(session, random, CLOCKS / 2, disturbance);
    session.fork(CHILD, ROOT);
    session.select(CHILD, Staleness.bulkSynchronous(), StepSize.of(0.05));
    clocks(session, random, CLOCKS / 2, disturbance);
    session.free(ROOT);
    session.awaitQuiet();
  }

  private static void clocks(
      WorkerSession session, Random random, int count, Runnable disturbance) {
    float[] dense = new float[ROWS * COLUMNS];
    float[] sparse = new float[BATCH * COLUMNS];
    for (int clock = 0; clock < count; clock++) {
      session.read(0, 0, ROWS, dense, 0);
      // They come again, and travel by their names then.
      long[] rows = new Random(random.nextInt(LISTS)).longs(BATCH, 0, ROWS).toArray();
      session.read(1, rows, BATCH, sparse);
      disturbance.run();
      for (int i = 0; i < dense.length; i++) {
        dense[i] = dense[i] * 0.5f + (float) Math.sin(i + clock) + sparse[i % sparse.length];
      }
      for (int i = 0; i < sparse.length; i++) {
        sparse[i] += dense[i] + random.nextFloat();
      }
      session.add(0, 0, ROWS, dense, 0);
      session.add(1, rows, BATCH, sparse);
      session.tick(8);
    }
  }

  private static List<ParameterServer> servers() {
    List<ParameterServer> servers = new ArrayList<>();
    for (int rank = 0; rank < WORKERS; rank++) {
      servers.add(
          ParameterServer.open(
              ParameterServerConfig.of(WORKERS, rank, 16 << 20).withPageBytes(8192, 4096),
              List.of(
                  TableSpec.dense("dense", ROWS, COLUMNS, "momentum"),
                  TableSpec.sparse("sparse", ROWS, COLUMNS, "adam"))));
    }
    return servers;
  }

  private static float[] undisturbed() throws Exception {
    try (Cluster cluster = new Cluster(servers(), CutConnectionsTest::inProcess)) {
      return train(cluster, () -> {});
    }
  }

  private static Cluster.Network inProcess(List<ParameterServer> servers) {
    Transport transport =
        Transport.inProcess(servers.stream().map(ParameterServer::shard).toList());
    return new Cluster.Network() {
      @Override
      public Transport transport(int rank) {
        return transport;
      }

      @Override
      public void close() {}
    };
  }

  @ParameterizedTest
  @CsvSource({
    "1, 60000, SOCKET, 10",
    "2, 30000, SOCKET, 10",
    "3, 150000, SOCKET, 10",
    "4, 1000, ANY, 5"
  })
  void theModelIsTheSameBitForBit(long seed, int mostBytes, Medium medium, int leastCuts)
      throws Exception {
    List<CuttingProxy> proxies = new ArrayList<>();
    try (Cluster cluster =
        new Cluster(
            servers(),
            servers ->
                new Links(servers, medium, port -> detour(port, seed, mostBytes, proxies)))) {
      // Little of what goes through shared memory passes by a proxy: there, cuts come with clocks.
      Random random = new Random(seed);
      float[] model =
          train(cluster, medium == Medium.ANY ? () -> maybeCut(random, proxies) : () -> {});
      int cuts = proxies.stream().mapToInt(CuttingProxy::cuts).sum();
      proxies.forEach(CuttingProxy::calm);
      assertThat(cuts).as("cuts with seed %d", seed).isGreaterThanOrEqualTo(leastCuts);
      assertThat(model).as("model after %d cuts", cuts).containsExactly(undisturbed());
      for (int rank = 0; rank < WORKERS; rank++) {
        assertThat(cluster.server(rank).stats().clocksApplied()).isEqualTo(CLOCKS);
      }
    } finally {
      for (CuttingProxy proxy : proxies) {
        proxy.close();
      }
    }
  }

  /// The same with seeds that nobody has tried; `-Dstress.seconds=60` says for how long.
  @Test
  @Timeout(3600)
  @EnabledIfSystemProperty(named = "stress.seconds", matches = "[1-9]\\d*")
  void theModelIsTheSameForLong() throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.getLong("stress.seconds", 0));
    Random random = new Random();
    while (System.nanoTime() < end) {
      int mostBytes = random.nextBoolean() ? 20_000 + random.nextInt(100_000) : 1000;
      theModelIsTheSameBitForBit(
          random.nextLong(), mostBytes, mostBytes > 1000 ? Medium.SOCKET : Medium.ANY, 1);
    }
  }

  /// In one of three clocks, one of the links, some time in the half of a millisecond that comes.
  private static void maybeCut(Random random, List<CuttingProxy> proxies) {
    if (random.nextInt(3) == 0) {
      CuttingProxy proxy = proxies.get(random.nextInt(proxies.size()));
      CompletableFuture.delayedExecutor(random.nextInt(500), TimeUnit.MICROSECONDS)
          .execute(proxy::cut);
    }
  }

  private static int detour(int port, long seed, int mostBytes, List<CuttingProxy> proxies) {
    try {
      CuttingProxy proxy = new CuttingProxy(port, seed * 31 + proxies.size(), mostBytes);
      proxies.add(proxy);
      return proxy.port();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void connectionsThatWereCutKeepNoMemory() throws Exception {
    List<CuttingProxy> proxies = new ArrayList<>();
    try (Cluster cluster =
        new Cluster(
            servers(),
            servers ->
                new Links(servers, Medium.SOCKET, port -> detour(port, 1, 1 << 30, proxies)))) {
      train(cluster, () -> {});
      long before = directBytes();
      for (int cut = 0; cut < 40; cut++) {
        for (CuttingProxy proxy : proxies) {
          proxy.cut();
        }
        WorkerSession session = cluster.session(0);
        session.read(0, 0, ROWS, new float[ROWS * COLUMNS], 0);
      }
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
      while (directBytes() > before + (20 << 20) && System.nanoTime() < end) {
        System.gc();
        Thread.sleep(50);
      }
      assertThat(directBytes() - before).isLessThan(20 << 20);
      proxies.forEach(CuttingProxy::calm);
    } finally {
      for (CuttingProxy proxy : proxies) {
        proxy.close();
      }
    }
  }

  private static long directBytes() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  @Test
  void noPageStaysPinned() throws Exception {
    try (Cluster cluster =
        new Cluster(servers(), servers -> new Links(servers, Medium.SOCKET, port -> port))) {
      train(cluster, () -> {});
      for (int rank = 0; rank < WORKERS; rank++) {
        WorkerSession session = cluster.session(rank);
        session.free(CHILD);
      }
      for (int rank = 0; rank < WORKERS; rank++) {
        cluster.session(rank).awaitQuiet();
      }
      assertThat(cluster.pagesInUse()).isZero();
    }
  }

  @Test
  void arraysOfSumsThatWereCutForTwoShardsComeBack() throws Exception {
    try (Cluster cluster =
        new Cluster(servers(), servers -> new Links(servers, Medium.SOCKET, port -> port))) {
      train(cluster, () -> {});
      // What a shard has is heard of with its replies, and forgotten when the next command leaves.
      for (int rank = 0; rank < WORKERS; rank++) {
        cluster.session(rank).free(CHILD);
      }
      for (int rank = 0; rank < WORKERS; rank++) {
        float[] next = cluster.server(rank).shard().arrays().take(ROWS * COLUMNS);
        assertThat(Arrays.equals(next, new float[ROWS * COLUMNS]))
            .as("worker %d gets a fresh array, and not the sums of an earlier clock", rank)
            .isFalse();
      }
    }
  }
}
