package dev.espalier.bench.programs;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Communication;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.bench.frame.Rate;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.BranchExecutor;
import dev.espalier.runtime.CheckpointFolder;
import dev.espalier.runtime.ProgramCatalog;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TrainingProgram;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;

/// The only worker of a job, in the caller's thread and without a tuner: commands, clocks, samples,
/// tables and reports are those of a job.
final class ProgramRun implements AutoCloseable {
  private static final long MEMORY_BYTES = 1L << 30;
  private static final long SEED = 1;

  /// Passes and seconds before those that are measured: the compiler of the JVM needs both.
  private static final int WARM_UP_PASSES = 6;

  private static final double WARM_UP_SECONDS = 1.5;

  private static final BranchId BRANCH = BranchId.ROOT;

  private final TrainingProgram program;
  private final ProgramShape shape;
  private final PsBackend parameters;
  private final BranchExecutor executor;
  private final int batchSize;
  private Optional<WorkerReport.Evaluated> evaluated = Optional.empty();
  private long clock;

  /// @param arguments those that are not the program's defaults
  ProgramRun(
      String name, Map<String, String> arguments, Path data, double learningRate, int batchSize)
      throws InterruptedException {
    this.batchSize = batchSize;
    program = ProgramCatalog.named(name);
    var all = new HashMap<String, String>();
    program
        .describe()
        .arguments()
        .forEach(argument -> all.put(argument.name(), argument.defaultValue()));
    all.putAll(arguments);
    shape = program.open(new ProgramEnvironment(all, Optional.of(data), 0, 1, SEED));
    ParameterServer server = PsBackend.openServer(1, 0, MEMORY_BYTES, shape.tables());
    parameters = new PsBackend(server, Transport.inProcess(List.of(server.shard())));
    executor =
        new BranchExecutor(
            program,
            shape,
            new Assignment(
                1,
                0,
                1,
                name,
                all,
                data.toString(),
                SEED,
                data.toString(),
                HeldOut.NOTHING,
                Communication.PLAIN,
                0),
            parameters,
            new CheckpointFolder(data, 0),
            report -> {
              if (report instanceof WorkerReport.Evaluated one) {
                evaluated = Optional.of(one);
              }
            },
            () -> {});
    executor.execute(
        new BranchCommand.Create(
            BRANCH,
            Setting.of(
                Map.of(
                    Tunable.LEARNING_RATE, learningRate, Tunable.BATCH_SIZE, (double) batchSize))));
  }

  int trainingSamples() {
    return shape.trainingSamples();
  }

  /// Runs as many clocks as come nearest to one pass over all samples.
  ///
  /// @return seconds a pass
  private double passSeconds() throws InterruptedException {
    long clocks = Math.max(1, Math.round((double) shape.trainingSamples() / batchSize));
    clock += clocks;
    long start = System.nanoTime();
    executor.execute(new BranchCommand.Schedule(BRANCH, clock, clock));
    double seconds = (System.nanoTime() - start) / 1e9;
    return seconds * shape.trainingSamples() / ((double) clocks * batchSize);
  }

  /// Runs passes that are not measured.
  void train(int passes) throws InterruptedException {
    for (int i = 0; i < passes; i++) {
      passSeconds();
    }
  }

  /// {@return the median of some passes, after some for the compiler}
  double medianPassSeconds(int passes) throws InterruptedException {
    double warm = 0;
    for (int i = 0; i < WARM_UP_PASSES || warm < WARM_UP_SECONDS; i++) {
      warm += passSeconds();
    }
    double[] seconds = new double[passes];
    for (int i = 0; i < passes; i++) {
      seconds[i] = passSeconds();
    }
    return Rate.median(DoubleStream.of(seconds));
  }

  /// {@return a metric over the validation data}
  double metric(String name) throws InterruptedException {
    executor.execute(new BranchCommand.Evaluate(BRANCH, clock));
    return evaluated.orElseThrow().metrics().getOrDefault(name, Double.NaN);
  }

  @Override
  public void close() {
    parameters.close();
    program.close();
  }
}
