package dev.espalier.bench;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.data.ShuffledCursor;
import dev.espalier.programs.logreg.SparseLogisticRegression;
import dev.espalier.programs.mf.MatrixFactorization;
import dev.espalier.programs.nn.MultilayerPerceptron;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TrainingProgram;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/// Clocks per second of one worker with the parameter server in its process, beside the same
/// program on plain arrays.
final class ClockRates implements Benchmark {
  private static final long SEED = 42;
  private static final long PARAMETER_BYTES = 1L << 30;

  private final Scale scale;

  ClockRates(Scale scale) {
    this.scale = scale;
  }

  /// {@return new programs, with default arguments and generated data}
  static List<Supplier<TrainingProgram>> programs() {
    return List.of(
        MultilayerPerceptron::new, MatrixFactorization::new, SparseLogisticRegression::new);
  }

  @Override
  public String title() {
    return "clocks per second of one worker";
  }

  @Override
  public List<Measurement> measure() {
    var measurements = new ArrayList<Measurement>();
    for (Supplier<TrainingProgram> program : programs()) {
      double arrays = onArrays(program.get());
      double served = onParameterServer(program.get());
      measurements.add(
          new Measurement(
              program.get().describe().name() + ", 1 worker, parameter server in process",
              served,
              "clocks/s",
              "plain arrays instead",
              arrays));
    }
    return measurements;
  }

  private double onArrays(TrainingProgram program) {
    try (program) {
      ProgramShape shape = open(program);
      var tables = new ArrayTables(shape);
      var context = new Context(program.describe(), shape, tables::table);
      program.initialise(context);
      double learningRate = context.setting.valueOr(Tunable.LEARNING_RATE, 0.01);
      return scale
          .rate()
          .perSecond(() -> {
            Progress progress = program.clock(context.next());
            tables.endClock(learningRate, progress.samples());
            return 1;
          });
    }
  }

  private double onParameterServer(TrainingProgram program) {
    try (program) {
      ProgramShape shape = open(program);
      ParameterServer server = PsBackend.openServer(1, 0, PARAMETER_BYTES, shape.tables());
      try (var backend = new PsBackend(server, Transport.inProcess(List.of(server.shard())))) {
        var context = new Context(program.describe(), shape, backend::table);
        backend.create(BranchId.ROOT);
        backend.initialise(BranchId.ROOT, () -> program.initialise(context));
        backend.select(BranchId.ROOT, context.setting, 1);
        return scale
            .rate()
            .perSecond(() -> {
              Progress progress = program.clock(context.next());
              backend.tick(progress.samples());
              return 1;
            });
      }
    }
  }

  private static ProgramShape open(TrainingProgram program) {
    return program.open(
        new ProgramEnvironment(
            program.describe().argumentsWith(Map.of()), Optional.empty(), 0, 1, SEED));
  }

  /// The clocks of a single worker that trains with the program's default setting.
  private static final class Context implements ProgramContext {
    private final Setting setting;
    private final Function<String, ParameterTable> tables;
    private final ShuffledCursor cursor;
    private final int batchSize;
    private int[] samples = new int[0];
    private long clock;

    Context(
        ProgramDescriptor program, ProgramShape shape, Function<String, ParameterTable> tables) {
      this.setting = new SearchSpace(program.tunables()).defaults();
      this.tables = tables;
      this.cursor = new ShuffledCursor(shape.trainingSamples(), SEED);
      this.batchSize = (int) setting.valueOr(Tunable.BATCH_SIZE, shape.defaultBatchSize());
    }

    Context next() {
      samples = cursor.indices(clock * batchSize, batchSize);
      clock++;
      return this;
    }

    @Override
    public Setting setting() {
      return setting;
    }

    @Override
    public int worker() {
      return 0;
    }

    @Override
    public int workers() {
      return 1;
    }

    @Override
    public ParameterTable table(String name) {
      return tables.apply(name);
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
      return new SplittableRandom(SEED + clock);
    }
  }
}
