package dev.espalier.bench.net;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Goal;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.data.ShuffledCursor;
import dev.espalier.programs.mf.MatrixFactorization;
import dev.espalier.programs.nn.MultilayerPerceptron;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.filter.FilterOptions;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.ValueCode;
import dev.espalier.ps.transport.FrameCodec;
import dev.espalier.ps.transport.OwnShard;
import dev.espalier.ps.transport.ShardEndpoint;
import dev.espalier.ps.transport.ShardRoute;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TrainingProgram;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/// What update filters spare and what they cost: bytes that two workers send as updates, and the
/// training loss that they reach in as many clocks, with and without a filter.
public final class FilterRates implements Benchmark {
  private static final int WORKERS = 2;
  private static final long SEED = 42;
  private static final long PARAMETER_BYTES = 256L << 20;
  private static final int LAST_SHARE = 5;

  private record Case(String name, FilterOptions filters) {}

  private record Run(double bytesPerClock, double loss) {}

  private static final List<Case> CASES =
      List.of(
          new Case("bfloat16", new FilterOptions(ValueCode.BFLOAT16, 0, 1, 1, false)),
          new Case("float16", new FilterOptions(ValueCode.FLOAT16, 0, 1, 1, false)),
          new Case("oneBit", new FilterOptions(ValueCode.ONE_BIT, 0, 1, 1, false)),
          new Case("significance 2", new FilterOptions(ValueCode.FLOAT32, 2, 1, 1, false)),
          new Case("pushEvery 4", new FilterOptions(ValueCode.FLOAT32, 0, 4, 1, false)),
          new Case(
              "pushEvery 2, fetchEvery 4", new FilterOptions(ValueCode.FLOAT32, 0, 2, 4, false)));

  private final int clocks;

  /// @param clocks of each training
  public FilterRates(int clocks) {
    this.clocks = clocks;
  }

  @Override
  public String title() {
    return "bytes and loss with update filters";
  }

  @Override
  public List<Measurement> measure() throws ExecutionException, InterruptedException {
    var measurements = new ArrayList<Measurement>();
    Map<String, Supplier<TrainingProgram>> programs = new TreeMap<>();
    programs.put("mlp", MultilayerPerceptron::new);
    programs.put("mf", MatrixFactorization::new);
    for (var program : programs.entrySet()) {
      Run plain = train(program.getValue(), FilterOptions.NONE);
      for (Case one : CASES) {
        Run run = train(program.getValue(), one.filters());
        String name = program.getKey() + ", " + one.name() + ": ";
        measurements.add(
            new Measurement(
                name + "update bytes",
                run.bytesPerClock(),
                "B/clock",
                "no filter",
                plain.bytesPerClock()));
        measurements.add(
            new Measurement(name + "loss", run.loss(), "loss", "no filter", plain.loss())
                .withGoal(Goal.ratioAtMost(1.1)));
      }
    }
    return measurements;
  }

  private Run train(Supplier<TrainingProgram> programs, FilterOptions filters)
      throws ExecutionException, InterruptedException {
    var bytes = new AtomicLong();
    List<TrainingProgram> opened = new ArrayList<>();
    List<ParameterServer> servers = new ArrayList<>();
    List<ProgramShape> shapes = new ArrayList<>();
    for (int worker = 0; worker < WORKERS; worker++) {
      TrainingProgram program = programs.get();
      opened.add(program);
      ProgramShape shape = program.open(environment(program, worker));
      shapes.add(shape);
      servers.add(
          PsBackend.openServer(WORKERS, worker, PARAMETER_BYTES, shape.tables(), 0, filters));
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(WORKERS)) {
      List<Future<Double>> losses = new ArrayList<>();
      for (int worker = 0; worker < WORKERS; worker++) {
        var backend = new PsBackend(servers.get(worker), transport(worker, servers, bytes));
        var context =
            new Context(
                worker, opened.get(worker), opened.get(worker).describe().tunables(), backend);
        ProgramShape shape = shapes.get(worker);
        losses.add(
            threads.submit(() -> context.train(shape.trainingSamples(), shape.defaultBatchSize())));
      }
      double loss = 0;
      for (Future<Double> one : losses) {
        loss += one.get() / WORKERS;
      }
      return new Run((double) bytes.get() / clocks, loss);
    } finally {
      servers.forEach(ParameterServer::close);
      opened.forEach(TrainingProgram::close);
    }
  }

  private static ProgramEnvironment environment(TrainingProgram program, int worker) {
    return new ProgramEnvironment(
        program.describe().argumentsWith(Map.of()), Optional.empty(), worker, WORKERS, SEED);
  }

  /// Own shards are called, others through frames, of which those of pushes are counted.
  private static Transport transport(int rank, List<ParameterServer> servers, AtomicLong bytes) {
    List<ShardRoute> routes = new ArrayList<>();
    for (int shard = 0; shard < servers.size(); shard++) {
      ShardEndpoint endpoint = servers.get(shard).endpoint();
      routes.add(
          shard == rank
              ? new OwnShard(servers.get(shard).shard())
              : command -> counted(command, endpoint, bytes));
    }
    return new Transport(routes);
  }

  private static CompletableFuture<ShardReply> counted(
      ShardCommand command, ShardEndpoint endpoint, AtomicLong bytes) {
    ByteBuffer frame = FrameCodec.encode(command);
    if (command instanceof ShardCommand.Push) {
      bytes.addAndGet(frame.remaining());
    }
    return endpoint.handle(frame).thenApply(FrameCodec::decodeReply);
  }

  /// One worker's training.
  private final class Context implements ProgramContext {
    private final int worker;
    private final TrainingProgram program;
    private final Setting setting;
    private final PsBackend backend;
    private int[] samples = new int[0];
    private long clock;

    Context(int worker, TrainingProgram program, List<Tunable> tunables, PsBackend backend) {
      this.worker = worker;
      this.program = program;
      this.setting = new SearchSpace(tunables).defaults().with(Tunable.MOMENTUM, 0);
      this.backend = backend;
    }

    double train(int trainingSamples, int defaultBatch) {
      int batch = (int) setting.valueOr(Tunable.BATCH_SIZE, defaultBatch);
      var cursor = new ShuffledCursor(trainingSamples, SEED);
      backend.create(BranchId.ROOT);
      if (worker == 0) {
        backend.initialise(BranchId.ROOT, () -> program.initialise(this));
      }
      backend.awaitAll("initialised");
      backend.select(BranchId.ROOT, setting, 1);
      double loss = 0;
      long counted = 0;
      for (; clock < clocks; clock++) {
        samples = cursor.indices((clock * WORKERS + worker) * batch, batch);
        Progress progress = program.clock(this);
        backend.tick(progress.samples());
        if (clock >= clocks - clocks / LAST_SHARE) {
          loss += progress.lossSum();
          counted += progress.samples();
        }
      }
      backend.awaitAll("trained");
      return loss / counted;
    }

    @Override
    public Setting setting() {
      return setting;
    }

    @Override
    public int worker() {
      return worker;
    }

    @Override
    public int workers() {
      return WORKERS;
    }

    @Override
    public ParameterTable table(String name) {
      return backend.table(name);
    }

    @Override
    public int[] samples() {
      return samples;
    }

    @Override
    public long clock() {
      return clock;
    }

    @Override
    public RandomGenerator random() {
      return new SplittableRandom(SEED + 31L * worker + clock);
    }
  }
}
