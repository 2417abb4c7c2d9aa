package dev.espalier.bench.ps;

import dev.espalier.bench.frame.JavaProcess;
import dev.espalier.bench.frame.Rate;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.WorkerSession;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.link.LinkServer;
import dev.espalier.ps.link.Medium;
import dev.espalier.ps.link.ShardLink;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.plan.PlanOptions;
import dev.espalier.ps.transport.OwnShard;
import dev.espalier.ps.transport.ShardRoute;
import dev.espalier.ps.transport.Transport;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.DoubleStream;

/// How fast a program accesses its rows in one way.
///
/// Each way is measured in a process of its own, as a job has one: how the JVM compiles a loop
/// depends on all that went through it, and one that has seen several ways makes calls where a
/// job's has loads and stores, in the way that has nothing else to do most of all.
///
/// @param sweep the program
/// @param workers 1: in one process with their shard; more: shards with sockets between them
/// @param clocks measured, of which the median counts
/// @param warmUpNanos how long it runs before them
record AccessRates(RowSweep sweep, int workers, int clocks, long warmUpNanos) {
  private static final BranchRef PLANNED = new BranchRef(0);
  private static final BranchRef PLAIN = new BranchRef(1);
  private static final StepSize STEP = StepSize.of(1e-9);
  private static final long BUDGET_BYTES = 512L << 20;
  private static final int MAX_AHEAD = 4;
  private static final String TOKEN = "bench";
  private static final String RESULT = "accesses/s ";

  /// {@return accesses per second of all workers, as a fresh process measures them}
  double measuredApart(AccessWay way) throws IOException, InterruptedException {
    var process =
        new JavaProcess(
            List.of("-Xmx1536m", "-XX:+UseCompactObjectHeaders"),
            AccessRates.class,
            List.of(
                sweep.words(),
                String.valueOf(workers),
                String.valueOf(clocks),
                String.valueOf(warmUpNanos),
                way.name()));
    return Double.parseDouble(process.result(RESULT));
  }

  /// Measures what the parent asks for.
  public static void main(String[] arguments)
      throws ExecutionException, InterruptedException, IOException {
    var rates =
        new AccessRates(
            RowSweep.of(arguments[0]),
            Integer.parseInt(arguments[1]),
            Integer.parseInt(arguments[2]),
            Long.parseLong(arguments[3]));
    System.out.println(RESULT + rates.accessesPerSecond(AccessWay.valueOf(arguments[4])));
    System.exit(0);
  }

  /// {@return accesses per second of all workers, the median clock}
  double accessesPerSecond(AccessWay way)
      throws ExecutionException, InterruptedException, IOException {
    return way == AccessWay.ARRAYS ? ofArrays() : ofServers(way);
  }

  private double ofArrays() {
    var rows = new ArrayRows(sweep.tables());
    double[] seconds =
        seconds(
            0,
            new AtomicInteger(Integer.MAX_VALUE),
            () -> {
              sweep.run(rows, 0, 1);
              rows.tick(STEP);
            });
    return sweep.accesses(0, 1) / Rate.median(DoubleStream.of(seconds));
  }

  private double ofServers(AccessWay way)
      throws ExecutionException, InterruptedException, IOException {
    var servers = new ArrayList<ParameterServer>();
    var ports = new ArrayList<LinkServer>();
    try (var executor = Executors.newFixedThreadPool(workers)) {
      for (int worker = 0; worker < workers; worker++) {
        servers.add(
            ParameterServer.open(
                ParameterServerConfig.of(workers, worker, BUDGET_BYTES), sweep.tables()));
      }
      List<Transport> transports = join(servers, ports);
      var warm = new AtomicInteger(Integer.MAX_VALUE);
      var running = new ArrayList<Future<double[]>>();
      for (int worker = 0; worker < workers; worker++) {
        int rank = worker;
        running.add(
            executor.submit(() -> {
              try (WorkerSession session = servers.get(rank).session(transports.get(rank))) {
                return way == AccessWay.KEY_VALUE
                    ? keyValueSeconds(session, transports.get(rank), rank, warm)
                    : sessionSeconds(session, way.options(), rank, warm);
              }
            }));
      }
      double slowest = 0;
      for (Future<double[]> one : running) {
        slowest = Math.max(slowest, Rate.median(DoubleStream.of(one.get())));
      }
      transports.forEach(Transport::close);
      return workers * sweep.accesses(0, workers) / slowest;
    } finally {
      for (LinkServer port : ports) {
        port.close();
      }
      servers.forEach(ParameterServer::close);
    }
  }

  private List<Transport> join(List<ParameterServer> servers, List<LinkServer> ports)
      throws IOException {
    if (workers == 1) {
      return List.of(Transport.inProcess(List.of(servers.getFirst().shard())));
    }
    for (ParameterServer server : servers) {
      LinkServer port = LinkServer.open("127.0.0.1", TOKEN);
      port.serve(server.shard());
      ports.add(port);
    }
    var transports = new ArrayList<Transport>();
    for (int worker = 0; worker < workers; worker++) {
      var routes = new ArrayList<ShardRoute>();
      for (int shard = 0; shard < workers; shard++) {
        routes.add(
            shard == worker
                ? new OwnShard(servers.get(shard).shard())
                : ShardLink.open(
                    shard,
                    "127.0.0.1",
                    ports.get(shard).port(),
                    TOKEN,
                    Medium.SOCKET,
                    false,
                    servers.get(worker).shard().arrivals()));
      }
      transports.add(new Transport(routes));
    }
    return transports;
  }

  private double[] sessionSeconds(
      WorkerSession session, Optional<PlanOptions> options, int rank, AtomicInteger warm) {
    session.create(PLANNED);
    session.select(PLANNED, Staleness.bulkSynchronous(), STEP);
    var rows =
        new RowSweep.Rows() {
          @Override
          public void read(int table, long row, float[] values) {
            session.read(table, row, 1, values, 0);
          }

          @Override
          public void add(int table, long row, float[] values) {
            session.add(table, row, 1, values, 0);
          }
        };
    if (options.isPresent()) {
      session.beginVirtualIteration();
      sweep.run(rows, rank, workers);
      session.endVirtualIteration(options.get());
    }
    return seconds(
        rank,
        warm,
        () -> {
          sweep.run(rows, rank, workers);
          session.tick(1);
        });
  }

  private double[] keyValueSeconds(
      WorkerSession session, Transport transport, int rank, AtomicInteger warm) {
    session.create(PLAIN);
    session.awaitQuiet();
    var rows = new KeyValueRows(transport, rank, workers, sweep.tables(), PLAIN);
    return seconds(
        rank,
        warm,
        () -> {
          sweep.run(rows, rank, workers);
          rows.tick(STEP);
        });
  }

  /// Of the measured clocks. All workers make as many clocks, so one of them says when it is warm,
  /// some clocks before: others are a clock ahead of it at most.
  private double[] seconds(int rank, AtomicInteger warmClocks, Runnable clock) {
    long start = System.nanoTime();
    int done = 0;
    while (done < warmClocks.get()) {
      clock.run();
      done++;
      if (rank == 0 && System.nanoTime() - start >= warmUpNanos) {
        warmClocks.compareAndSet(Integer.MAX_VALUE, done + MAX_AHEAD);
      }
    }
    double[] seconds = new double[clocks];
    for (int i = 0; i < clocks; i++) {
      long began = System.nanoTime();
      clock.run();
      seconds[i] = (System.nanoTime() - began) / 1e9;
    }
    return seconds;
  }
}
