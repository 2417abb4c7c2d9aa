package dev.espalier.bench.programs;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.bench.frame.Rate;
import dev.espalier.runtime.ProgramCatalog;
import dev.espalier.runtime.branch.LocalCrew;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
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

  private final LocalCrew crew;
  private final int batchSize;
  private long clock;

  /// @param arguments those that are not the program's defaults
  ProgramRun(
      String name, Map<String, String> arguments, Path data, double learningRate, int batchSize)
      throws InterruptedException {
    this.batchSize = batchSize;
    crew =
        new LocalCrew(
            () -> ProgramCatalog.named(name),
            UnaryOperator.identity(),
            LocalCrew.assignment(
                ProgramCatalog.named(name).describe(),
                arguments,
                Optional.of(data),
                1,
                SEED,
                HeldOut.NOTHING,
                data),
            MEMORY_BYTES);
    try {
      execute(
          new BranchCommand.Create(
              BRANCH,
              Setting.of(
                  Map.of(
                      Tunable.LEARNING_RATE,
                      learningRate,
                      Tunable.BATCH_SIZE,
                      (double) batchSize))));
    } catch (InterruptedException | RuntimeException | Error failure) {
      try (LocalCrew _ = crew) {
        throw failure;
      }
    }
  }

  private List<WorkerReport> execute(BranchCommand command) throws InterruptedException {
    return crew.execute(command, 1).getFirst();
  }

  int trainingSamples() {
    return crew.shape().trainingSamples();
  }

  /// Runs as many clocks as come nearest to one pass over all samples.
  ///
  /// @return seconds a pass
  private double passSeconds() throws InterruptedException {
    long clocks = Math.max(1, Math.round((double) trainingSamples() / batchSize));
    clock += clocks;
    long start = System.nanoTime();
    execute(new BranchCommand.Schedule(BRANCH, clock, clock));
    double seconds = (System.nanoTime() - start) / 1e9;
    return seconds * trainingSamples() / ((double) clocks * batchSize);
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
    return execute(new BranchCommand.Evaluate(BRANCH, clock)).stream()
        .filter(WorkerReport.Evaluated.class::isInstance)
        .map(WorkerReport.Evaluated.class::cast)
        .findFirst()
        .orElseThrow()
        .metrics()
        .getOrDefault(name, Double.NaN);
  }

  @Override
  public void close() {
    crew.close();
  }
}
