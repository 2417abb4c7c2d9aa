package dev.espalier.bench.ps;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Goal;
import dev.espalier.bench.frame.Measurement;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.DoubleStream;

/// What each optimisation of an access plan is worth: all of them, each switched off in turn, none,
/// and a key-value store that is told nothing. In one process also the program on plain arrays:
/// what no plan can be faster than.
///
/// @param sweep the program
/// @param workers 1: in this process; 2: two shards and sockets between them
/// @param clocks measured of each way, after as many to warm up, or more where they are short, with
///   a plan or in one process: code that was compiled for the rows of the program before must be
///   compiled anew, which on a busy machine takes longer than some clocks of a few milliseconds
/// @param goal how often the key-value way should fit in, if anything was set
record PlanAblation(RowSweep sweep, int workers, int clocks, Optional<Double> goal)
    implements Benchmark {
  private static final BranchRef PLANNED = new BranchRef(0);
  private static final BranchRef PLAIN = new BranchRef(1);
  private static final StepSize STEP = StepSize.of(1e-9);
  private static final long BUDGET_BYTES = 512L << 20;
  private static final int SHORT_WARM_UPS = 10;
  private static final String TOKEN = "bench";
  private static final String ALL = "all optimisations";

  @Override
  public String title() {
    return "access plans, " + sweep.name() + ", " + where();
  }

  private String where() {
    return workers == 1 ? "1 worker" : workers + " workers over sockets";
  }

  @Override
  public List<Measurement> measure() throws ExecutionException, InterruptedException, IOException {
    Map<String, Optional<PlanOptions>> ways = new LinkedHashMap<>();
    ways.put(ALL, Optional.of(PlanOptions.all()));
    ways.put("without packing rows", Optional.of(PlanOptions.all().withoutPacking()));
    ways.put("without static slots", Optional.of(PlanOptions.all().withoutSlots()));
    if (workers > 1) {
      ways.put("without prefetching", Optional.of(PlanOptions.all().withoutPrefetching()));
    }
    ways.put("without combining updates", Optional.of(PlanOptions.all().withoutCombining()));
    ways.put("no plan: a request for each read", Optional.empty());
    Map<String, Double> rates = new LinkedHashMap<>();
    // Once through all ways, so that none pays for being the first that the compiler sees.
    for (Optional<PlanOptions> way : ways.values()) {
      rate(way, false, 1);
    }
    for (Map.Entry<String, Optional<PlanOptions>> way : ways.entrySet()) {
      rates.put(way.getKey(), rate(way.getValue(), false, clocks));
    }
    double keyValue = rate(Optional.empty(), true, clocks);
    var measurements = new ArrayList<Measurement>();
    double all = rates.getOrDefault(ALL, Double.NaN);
    rates.forEach((way, rate) -> {
      String name = "%s, %s: %s".formatted(sweep.name(), where(), way);
      if (way.equals(ALL)) {
        var against =
            new Measurement(name, rate / 1e6, "M accesses/s", "key-value store", keyValue / 1e6);
        measurements.add(
            goal.map(factor -> against.withGoal(Goal.ratioAtLeast(factor))).orElse(against));
      } else {
        measurements.add(new Measurement(name, rate / 1e6, "M accesses/s", ALL, all / 1e6));
      }
    });
    if (workers == 1) {
      measurements.add(
          new Measurement(
              "%s, %s: the program on plain arrays".formatted(sweep.name(), where()),
              arrayRate() / 1e6,
              "M accesses/s",
              "key-value store",
              keyValue / 1e6));
    } else {
      RowUses uses = RowUses.of(sweep, workers);
      measurements.add(
          new Measurement(
              "%s, %s: rows of other shards".formatted(sweep.name(), where()),
              uses.travellingByRange(),
              "rows/clock",
              "each row where it is used most",
              uses.travellingByUse()));
    }
    return measurements;
  }

  private double arrayRate() {
    var rows = new ArrayRows(sweep.tables());
    double[] seconds =
        seconds(
            clocks,
            true,
            () -> {
              sweep.run(rows, 0, 1);
              rows.tick(STEP);
            });
    return sweep.accesses(0, 1) / Rate.median(DoubleStream.of(seconds));
  }

  /// {@return accesses per second of all workers, the median clock}
  private double rate(Optional<PlanOptions> options, boolean isKeyValue, int count)
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
      var running = new ArrayList<Future<double[]>>();
      for (int worker = 0; worker < workers; worker++) {
        int rank = worker;
        running.add(
            executor.submit(() -> {
              try (WorkerSession session = servers.get(rank).session(transports.get(rank))) {
                return isKeyValue
                    ? keyValueSeconds(session, transports.get(rank), rank, count)
                    : sessionSeconds(session, options, rank, count);
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
                    shard, "127.0.0.1", ports.get(shard).port(), TOKEN, Medium.SOCKET, false));
      }
      transports.add(new Transport(routes));
    }
    return transports;
  }

  private double[] sessionSeconds(
      WorkerSession session, Optional<PlanOptions> options, int rank, int count) {
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
        count,
        options.isPresent() || workers == 1,
        () -> {
          sweep.run(rows, rank, workers);
          session.tick(1);
        });
  }

  private double[] keyValueSeconds(
      WorkerSession session, Transport transport, int rank, int count) {
    session.create(PLAIN);
    session.awaitQuiet();
    var rows = new KeyValueRows(transport, rank, workers, sweep.tables(), PLAIN);
    return seconds(
        count,
        workers == 1,
        () -> {
          sweep.run(rows, rank, workers);
          rows.tick(STEP);
        });
  }

  private static double[] seconds(int count, boolean areShort, Runnable clock) {
    double[] seconds = new double[count];
    int warmUps = areShort ? SHORT_WARM_UPS * count : count;
    for (int i = -warmUps; i < count; i++) {
      long start = System.nanoTime();
      clock.run();
      if (i >= 0) {
        seconds[i] = (System.nanoTime() - start) / 1e9;
      }
    }
    return seconds;
  }
}
