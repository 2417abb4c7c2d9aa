package dev.espalier.bench.net;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Goal;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.bench.frame.Rounds;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.transport.FrameCodec;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.transport.RouteKind;
import dev.espalier.runtime.transport.ShardRoutes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.IntConsumer;
import java.util.stream.Stream;

/// Messages to a shard in another process, by every way, beside a raw socket that moves as many
/// bytes.
///
/// A push is of a clock without samples, which the shard takes and does not apply: what is measured
/// is the way, with encoding, decoding and arrays at both ends, and not the update. A pull is of
/// rows that were written, for those that never were all lie in one page; by shared memory it is a
/// copy out of pages, and stands beside the same copy within one process.
public final class MessageRates implements Benchmark {
  /// ps-lite here: values of `ps-anchors.md`, measured on another day and not in this run.
  private record Message(
      String name, RowBatch batch, int columns, int repeats, double psLitePush, double psLitePull) {
    int payloadBytes() {
      return 4 * batch.values().length;
    }

    /// An array for each pull on its way, made once, as that of the raw socket is.
    List<RowTarget> targets(int window) {
      return Stream.generate(
              () -> new RowTarget(new float[batch.values().length], 0, columns, null))
          .limit(window)
          .toList();
    }
  }

  private static final Staleness BULK = Staleness.bulkSynchronous();
  private static final BranchRef WRITTEN = new BranchRef(0);
  private static final int WINDOW = 8;

  private final Rounds rounds;

  /// @param rounds of which the median counts
  public MessageRates(Rounds rounds) {
    this.rounds = rounds;
  }

  @Override
  public String title() {
    return "push and pull between two processes";
  }

  private static List<Message> messages() {
    return List.of(
        new Message(
            "dense 4 MiB",
            new RowBatch(
                NetworkTables.DENSE,
                new RowSelection.Range(0, NetworkTables.DENSE_ROWS),
                new float[NetworkTables.DENSE_ROWS * NetworkTables.DENSE_COLUMNS]),
            NetworkTables.DENSE_COLUMNS,
            24,
            2.7,
            2.5),
        new Message(
            "100,000 rows x 32",
            rows(NetworkTables.SPARSE, 100_000, NetworkTables.SPARSE_COLUMNS),
            NetworkTables.SPARSE_COLUMNS,
            8,
            3.1,
            3.1),
        new Message(
            "10,000 rows x 32",
            rows(NetworkTables.SPARSE, 10_000, NetworkTables.SPARSE_COLUMNS),
            NetworkTables.SPARSE_COLUMNS,
            64,
            2.2,
            2.5));
  }

  private static RowBatch rows(int table, int count, int columns) {
    long[] keys =
        new Random(count)
            .longs(0, NetworkTables.SPARSE_ROWS)
            .distinct()
            .limit(count)
            .sorted()
            .toArray();
    return new RowBatch(table, new RowSelection.Keys(keys), new float[count * columns]);
  }

  @Override
  public List<Measurement> measure() throws ExecutionException, IOException, InterruptedException {
    var measurements = new ArrayList<Measurement>();
    try (ShardProcess process = ShardProcess.start();
        ParameterServer unused = NetworkTables.open()) {
      Map<String, Route> routes = new LinkedHashMap<>();
      try (Transport first = transport(process, unused, RouteKind.AUTO, true)) {
        NetworkTables.write(first, WRITTEN);
      }
      for (RouteKind kind : RouteKind.values()) {
        routes.put(kind.name(), route(process, unused, kind, true, routes.size() + 1));
      }
      try (RawPort.Client raw =
              new RawPort.Client(process.rawPort(), 32 << 20, WINDOW * (16 << 20));
          RowCopies copies = new RowCopies()) {
        for (Message message : messages()) {
          measure(message, 1, raw, copies, routes, measurements);
          measure(message, WINDOW, raw, copies, routes, measurements);
        }
        roundTrips(raw, routes, measurements);
        int next = routes.size() + 1;
        try (Route named = route(process, unused, RouteKind.SOCKET, true, next);
            Route nameless = route(process, unused, RouteKind.SOCKET, false, next + 1)) {
          names(named, nameless, measurements);
        }
      } finally {
        routes.values().forEach(Route::close);
      }
    }
    return measurements;
  }

  private static Route route(
      ShardProcess process,
      ParameterServer unused,
      RouteKind kind,
      boolean cachesKeys,
      int branch) {
    return new Route(transport(process, unused, kind, cachesKeys), branch);
  }

  private static Transport transport(
      ShardProcess process, ParameterServer unused, RouteKind kind, boolean cachesKeys) {
    return ShardRoutes.open(
        -1, unused.shard(), List.of(process.address()), NetworkTables.TOKEN, kind, cachesKeys);
  }

  private void measure(
      Message message,
      int window,
      RawPort.Client raw,
      RowCopies copies,
      Map<String, Route> routes,
      List<Measurement> measurements)
      throws ExecutionException, InterruptedException {
    int pushBytes =
        FrameCodec.encode(new ShardCommand.Assign(new BranchRef(0), 0, List.of(message.batch())))
            .remaining();
    List<IntConsumer> work = new ArrayList<>();
    for (boolean isArray : new boolean[] {false, true}) {
      work.add(_ -> unchecked(() -> raw.push(pushBytes, message.repeats(), window, isArray)));
      work.add(_ ->
          unchecked(() -> raw.pull(message.payloadBytes(), message.repeats(), window, isArray)));
    }
    List<RowTarget> targets = message.targets(window);
    for (Route route : routes.values()) {
      work.add(_ -> route.push(message, window));
      work.add(_ -> route.pull(message, targets));
    }
    work.add(_ -> copies.copy(message.batch(), message.repeats(), targets));
    double[] seconds = rounds.medianSeconds(1, work);
    double gigabytes = (double) message.payloadBytes() * message.repeats() / 1e9;
    String how = window == 1 ? ", one by one" : ", " + window + " in flight";
    int next = 4;
    for (String route : routes.keySet()) {
      for (int direction = 0; direction < 2; direction++) {
        String name = (direction == 0 ? "push " : "pull ") + message.name() + how + ", " + route;
        double value = gigabytes / seconds[next++];
        var figure =
            new Measurement(name, value, "GB/s", "raw socket", gigabytes / seconds[direction]);
        measurements.add(route.equals("GRPC") ? figure : figure.withGoal(Goal.ratioAtLeast(0.8)));
        if (route.equals("SOCKET")) {
          measurements.add(
              new Measurement(
                  name,
                  value,
                  "GB/s",
                  "raw socket between arrays",
                  gigabytes / seconds[2 + direction]));
        }
        if (route.equals("AUTO") && direction == 1) {
          measurements.add(
              new Measurement(
                  name,
                  value,
                  "GB/s",
                  "its rows copied within a process",
                  gigabytes / seconds[work.size() - 1]));
        }
        if (route.equals("AUTO")) {
          measurements.add(
              new Measurement(
                      name,
                      value,
                      "GB/s",
                      "ps-lite, another day",
                      direction == 0 ? message.psLitePush() : message.psLitePull())
                  .withGoal(Goal.ratioAtLeast(2)));
        }
      }
    }
  }

  private void roundTrips(
      RawPort.Client raw, Map<String, Route> routes, List<Measurement> measurements)
      throws ExecutionException, InterruptedException {
    int count = 2000;
    var small =
        new Message(
            "64 B",
            new RowBatch(NetworkTables.SPARSE, new RowSelection.Range(0, 1), new float[32]),
            32,
            count,
            0,
            0);
    for (int window : new int[] {1, 16}) {
      List<IntConsumer> work = new ArrayList<>();
      work.add(_ -> unchecked(() -> raw.pull(128, count, window, false)));
      List<RowTarget> targets = small.targets(window);
      for (Route route : routes.values()) {
        work.add(_ -> route.pull(small, targets));
      }
      double[] seconds = rounds.medianSeconds(1, work);
      int next = 1;
      for (String route : routes.keySet()) {
        measurements.add(
            new Measurement(
                "pull of 1 row x 32, " + window + " in flight, " + route,
                count / seconds[next++],
                "messages/s",
                "raw socket",
                count / seconds[0]));
      }
    }
  }

  /// What it spares to name lists of rows that come again: the most for rows of one float.
  private void names(Route named, Route nameless, List<Measurement> measurements)
      throws ExecutionException, InterruptedException {
    var message =
        new Message("100,000 rows x 1", rows(NetworkTables.NARROW, 100_000, 1), 1, 32, 0, 0);
    List<RowTarget> targets = message.targets(1);
    List<IntConsumer> work = new ArrayList<>();
    for (Route route : List.of(named, nameless)) {
      work.add(_ -> route.push(message, 1));
      work.add(_ -> route.pull(message, targets));
    }
    double[] seconds = rounds.medianSeconds(1, work);
    double millions = message.repeats() * message.batch().rows().count() / 1e6;
    for (int direction = 0; direction < 2; direction++) {
      measurements.add(
          new Measurement(
              (direction == 0 ? "push " : "pull ") + message.name() + ", SOCKET, row numbers named",
              millions / seconds[direction],
              "M rows/s",
              "row numbers sent each time",
              millions / seconds[2 + direction]));
    }
  }

  private interface Io {
    void run() throws IOException;
  }

  private static void unchecked(Io io) {
    try {
      io.run();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// One way to the shard, with a branch of its own, whose pages all ways share.
  private static final class Route implements AutoCloseable {
    private final Transport transport;
    private final BranchRef branch;
    private long clock;

    Route(Transport transport, int number) {
      this.transport = transport;
      branch = new BranchRef(number);
      NetworkTables.settle(transport, new ShardCommand.Fork(branch, WRITTEN, 0));
    }

    void push(Message message, int window) {
      Deque<CompletableFuture<ShardReply>> open = new ArrayDeque<>();
      for (int i = 0; i < message.repeats(); i++) {
        open.add(
            transport.send(
                0,
                new ShardCommand.Push(
                    branch, 0, clock++, BULK, StepSize.of(0.1), 0, List.of(message.batch()))));
        settle(open, window - 1);
      }
      settle(open, 0);
    }

    /// @param targets one for each pull on its way
    void pull(Message message, List<RowTarget> targets) {
      int window = targets.size();
      Deque<CompletableFuture<ShardReply>> open = new ArrayDeque<>();
      for (int i = 0; i < message.repeats(); i++) {
        open.add(
            transport.read(
                0,
                new ShardCommand.Read(
                    branch, 0, clock, BULK, message.batch().table(), message.batch().rows()),
                targets.get(i % window)));
        settle(open, window - 1);
      }
      settle(open, 0);
    }

    private static void settle(Deque<CompletableFuture<ShardReply>> open, int most) {
      while (open.size() > most) {
        if (open.remove().join() instanceof ShardReply.Failed failed) {
          throw failed.toException();
        }
      }
    }

    @Override
    public void close() {
      transport.close();
    }
  }
}
