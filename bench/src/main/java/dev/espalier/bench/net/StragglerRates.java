package dev.espalier.bench.net;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Goal;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.WorkerSession;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.transport.RouteKind;
import dev.espalier.runtime.transport.ShardRoutes;
import dev.espalier.runtime.transport.ShardServer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;

/// Clocks per second of workers of which one, now this and now that, is slow for a clock, at every
/// staleness, beside what theory says.
///
/// Theory is exact here: with `d` the time that a worker's clock takes, its clock `c` ends at `T(w,
/// c) = max(T(w, c - 1), max over others o of T(o, c - 1 - s)) + d(w, c)`, for a read at clock `c`
/// waits until the others have ended clock `c - 1 - s` (Ho et al., "More Effective Distributed ML
/// via a Stale Synchronous Parallel Parameter Server", NIPS 2013). Workers sleep in place of
/// computing, so that they are many and the machine's cores few; a sleeper is woken late, so `d` is
/// the time that passed and not the time that was asked for.
public final class StragglerRates implements Benchmark {
  private static final int WORKERS = 4;
  private static final int BASE_MILLIS = 8;
  private static final int SLOW_MILLIS = 40;
  private static final double SLOW_SHARE = 0.1;
  private static final int[] BOUNDS = {0, 1, 2, 4, 8};
  private static final String TOKEN = "bench";

  /// What a worker did.
  ///
  /// @param seconds from its first clock to its last
  /// @param clockNanos that each clock took, without what it waited for others
  private record Run(double seconds, long[] clockNanos) {}

  private final int clocks;

  /// @param clocks of each worker and staleness
  public StragglerRates(int clocks) {
    this.clocks = clocks;
  }

  @Override
  public String title() {
    return "clocks per second with a straggler";
  }

  /// Nanoseconds that each clock of each worker takes; the same at every staleness.
  private long[][] delays() {
    Random random = new Random(11);
    long[][] delays = new long[WORKERS][clocks];
    for (int clock = 0; clock < clocks; clock++) {
      for (long[] worker : delays) {
        worker[clock] = 1_000_000L * (random.nextDouble() < SLOW_SHARE ? SLOW_MILLIS : BASE_MILLIS);
      }
    }
    return delays;
  }

  private double predictedSeconds(List<Run> runs, int bound) {
    long[][] ends = new long[WORKERS][clocks];
    long last = 0;
    for (int clock = 0; clock < clocks; clock++) {
      for (int worker = 0; worker < WORKERS; worker++) {
        long start = clock == 0 ? 0 : ends[worker][clock - 1];
        for (int other = 0; other < WORKERS; other++) {
          if (other != worker && clock > bound) {
            start = Math.max(start, ends[other][clock - 1 - bound]);
          }
        }
        ends[worker][clock] = start + runs.get(worker).clockNanos()[clock];
        last = Math.max(last, ends[worker][clock]);
      }
    }
    return last / 1e9;
  }

  @Override
  public List<Measurement> measure() throws IOException, ExecutionException, InterruptedException {
    long[][] delays = delays();
    var measurements = new ArrayList<Measurement>();
    // The first bound would pay for code that is not compiled yet: two milliseconds a clock.
    measured(delays, BOUNDS[0]);
    for (int bound : BOUNDS) {
      List<Run> runs = measured(delays, bound);
      measurements.add(
          new Measurement(
                  "4 workers, each slow in a tenth of its clocks, staleness " + bound,
                  clocks / runs.stream().mapToDouble(Run::seconds).max().orElseThrow(),
                  "clocks/s",
                  "theory",
                  clocks / predictedSeconds(runs, bound))
              .withGoal(Goal.ratioAtLeast(0.9)));
    }
    return measurements;
  }

  private List<Run> measured(long[][] delays, int bound)
      throws IOException, ExecutionException, InterruptedException {
    List<ParameterServer> servers = new ArrayList<>();
    List<ShardServer> ports = new ArrayList<>();
    List<Transport> transports = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(WORKERS)) {
      for (int rank = 0; rank < WORKERS; rank++) {
        servers.add(
            ParameterServer.open(
                ParameterServerConfig.of(WORKERS, rank, 64L << 20),
                List.of(TableSpec.dense("w", 64, 64, "sgd"))));
        ports.add(ShardServer.open("127.0.0.1", TOKEN));
        ports.get(rank).serve(servers.get(rank).shard());
      }
      List<String> addresses = ports.stream().map(port -> port.address().toString()).toList();
      for (int rank = 0; rank < WORKERS; rank++) {
        transports.add(
            ShardRoutes.open(
                rank, servers.get(rank).shard(), addresses, TOKEN, RouteKind.AUTO, false));
      }
      List<Future<Run>> workers = new ArrayList<>();
      for (int rank = 0; rank < WORKERS; rank++) {
        WorkerSession session = servers.get(rank).session(transports.get(rank));
        long[] own = delays[rank];
        workers.add(threads.submit(() -> train(session, own, new Staleness(bound))));
      }
      List<Run> runs = new ArrayList<>();
      for (Future<Run> worker : workers) {
        runs.add(worker.get());
      }
      return runs;
    } finally {
      transports.forEach(Transport::close);
      ports.forEach(ShardServer::close);
      servers.forEach(ParameterServer::close);
    }
  }

  private static Run train(WorkerSession session, long[] delays, Staleness staleness) {
    BranchRef branch = new BranchRef(0);
    session.create(branch);
    session.awaitQuiet();
    session.select(branch, staleness, StepSize.of(0.01));
    float[] values = new float[64 * 64];
    long[] clockNanos = new long[delays.length];
    session.awaitBarrier("start");
    long start = System.nanoTime();
    for (int clock = 0; clock < delays.length; clock++) {
      session.read(0, 0, 64, values, 0);
      long begin = System.nanoTime();
      for (long left = delays[clock]; left > 0; left = begin + delays[clock] - System.nanoTime()) {
        LockSupport.parkNanos(left);
      }
      clockNanos[clock] = System.nanoTime() - begin;
      session.add(0, 0, 64, values, 0);
      session.tick(1);
    }
    return new Run((System.nanoTime() - start) / 1e9, clockNanos);
  }
}
