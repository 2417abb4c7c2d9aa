package dev.espalier.programs;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.data.SampleOrder;
import dev.espalier.data.SampleSplit;
import dev.espalier.runtime.branch.BranchExecutor;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TrainingProgram;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/// Trains a program for real on tables in memory: workers take turns, one clock after another.
public final class LocalTraining implements AutoCloseable {
  private final List<TrainingProgram> programs = new ArrayList<>();
  private final ProgramShape shape;
  private final LocalTables tables;
  private final List<SampleOrder> orders = new ArrayList<>();
  private SampleSplit split;
  private final long seed;
  private Setting setting;
  private long position;
  private long clock;

  private LocalTraining(
      Supplier<? extends TrainingProgram> program,
      Map<String, String> arguments,
      Optional<Path> data,
      int workers,
      long seed) {
    this.seed = seed;
    ProgramShape opened = null;
    for (int worker = 0; worker < workers; worker++) {
      TrainingProgram instance = program.get();
      var environment =
          new ProgramEnvironment(
              instance.describe().argumentsWith(arguments), data, worker, workers, seed);
      programs.add(instance);
      opened = instance.open(environment);
    }
    shape = opened;
    tables = new LocalTables(shape);
    split = SampleSplit.of(shape.trainingSamples(), 0, seed);
    order();
    setting = new SearchSpace(programs.getFirst().describe().tunables()).defaults();
    tables.initialise(() -> programs.getFirst().initialise(context(0, new int[0])));
  }

  public static LocalTraining of(
      Supplier<? extends TrainingProgram> program,
      Map<String, String> arguments,
      Optional<Path> data,
      int workers,
      long seed) {
    return new LocalTraining(program, arguments, data, workers, seed);
  }

  private void order() {
    orders.clear();
    for (int worker = 0; worker < programs.size(); worker++) {
      orders.add(
          new SampleOrder(
              split, shape.samplesPerRun(), seed, worker, programs.size(), shape.isDealtOut()));
    }
  }

  /// Keeps samples out of training, before the first clock.
  public LocalTraining holdingOut(int samples) {
    split = SampleSplit.of(shape.trainingSamples(), samples, seed);
    order();
    return this;
  }

  /// {@return the mean loss of the samples that are held out, as worker 0 measures it}
  public double heldOutLoss() {
    Progress loss = programs.getFirst().loss(context(0, split.probe()));
    return loss.lossSum() / loss.samples();
  }

  /// {@return the samples that are held out}
  public int[] heldOut() {
    return split.probe();
  }

  public LocalTraining with(String tunable, double value) {
    setting = setting.with(tunable, value);
    return this;
  }

  public ProgramShape shape() {
    return shape;
  }

  private int batchSize() {
    return (int) setting.valueOr(Tunable.BATCH_SIZE, shape.defaultBatchSize());
  }

  /// Runs one clock of all workers.
  ///
  /// @return mean training loss of the clock
  public double clock() {
    double lossSum = addGradients();
    tables.endClock(setting, batchSize() * programs.size());
    position += (long) batchSize() * programs.size();
    clock++;
    return lossSum / (batchSize() * programs.size());
  }

  /// Runs the clock of all workers without the update at its end.
  ///
  /// @return sum of the training loss
  public double addGradients() {
    return lossSum(TrainingProgram::clock);
  }

  /// Measures the samples of the clock that comes next, as those of a probe are.
  ///
  /// @return sum of the loss
  public double measureLoss() {
    return lossSum(TrainingProgram::loss);
  }

  private double lossSum(BiFunction<TrainingProgram, ProgramContext, Progress> pass) {
    int batch = batchSize();
    double lossSum = 0;
    for (int worker = 0; worker < programs.size(); worker++) {
      int[] slice = orders.get(worker).samples(position, batch);
      lossSum += pass.apply(programs.get(worker), context(worker, slice)).lossSum();
    }
    return lossSum;
  }

  /// Runs clocks until `epochs` times all samples were visited.
  ///
  /// @return mean training loss over the last epoch
  public double epochs(int epochs) {
    int clocks = Math.max(1, shape.trainingSamples() / (batchSize() * programs.size()));
    double mean = Double.NaN;
    for (int epoch = 0; epoch < epochs; epoch++) {
      mean = 0;
      for (int i = 0; i < clocks; i++) {
        mean += clock() / clocks;
      }
    }
    return mean;
  }

  /// {@return what each worker measured}
  public List<Evaluation> evaluations() {
    var parts = new ArrayList<Evaluation>();
    for (int worker = 0; worker < programs.size(); worker++) {
      parts.add(programs.get(worker).evaluate(context(worker, new int[0])));
    }
    return parts;
  }

  /// {@return one metric, put together from all workers' parts}
  public double metric(String name) {
    return programs.getFirst().describe().validation().stream()
        .filter(metric -> metric.name().equals(name))
        .findFirst()
        .orElseThrow()
        .joined(evaluations().stream().map(part -> BranchExecutor.report(0, part, 0)).toList())
        .orElse(Double.NaN);
  }

  /// {@return how many rows of a table were read at once at most}
  public int mostRowsRead(String table) {
    return tables.mostRowsRead(table);
  }

  public Map<String, float[]> parameters() {
    return tables.parameters();
  }

  public Map<String, float[]> gradients() {
    return tables.gradients();
  }

  public void clearGradients() {
    tables.clearGradients();
  }

  public void set(String table, int index, float value) {
    tables.set(table, index, value);
  }

  public void set(Map<String, float[]> parameters) {
    parameters.forEach((table, values) -> {
      for (int i = 0; i < values.length; i++) {
        set(table, i, values[i]);
      }
    });
  }

  private ProgramContext context(int worker, int[] samples) {
    return new Context(worker, samples);
  }

  private final class Context implements ProgramContext {
    private final int worker;
    private final int[] samples;
    private final RandomGenerator random;

    Context(int worker, int[] samples) {
      this.worker = worker;
      this.samples = samples;
      random = new SplittableRandom(seed + 31L * worker + clock);
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
      return programs.size();
    }

    @Override
    public ParameterTable table(String name) {
      return tables.table(name);
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
      return random;
    }
  }

  @Override
  public void close() {
    programs.forEach(TrainingProgram::close);
  }
}
