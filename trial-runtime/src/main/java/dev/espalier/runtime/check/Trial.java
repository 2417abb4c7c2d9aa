package dev.espalier.runtime.check;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.runtime.branch.LocalCrew;
import dev.espalier.runtime.branch.MemoryBudget;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TrainingProgram;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// One run of a program that is checked: branches, as a job has them, and what came of them.
final class Trial implements AutoCloseable {
  static final BranchId ROOT = BranchId.ROOT;

  /// Values of a table that are kept to be compared as numbers.
  private static final int KEPT_VALUES = 1 << 16;

  private static final int READ_VALUES = 1 << 18;

  private final Path folder;
  private final List<TrainingProgram> programs = new ArrayList<>();
  private final Map<BranchId, Long> clocks = new HashMap<>();
  private final int workers;
  private final int staleness;
  private LocalCrew crew;
  private long evaluation;

  private Trial(Subject subject, int workers, int staleness, Path folder) {
    this.folder = folder;
    this.workers = workers;
    this.staleness = staleness;
    this.crew = crew(subject);
  }

  private LocalCrew crew(Subject subject) {
    programs.clear();
    return new LocalCrew(
        () -> {
          TrainingProgram program = subject.makes().get();
          programs.add(program);
          return program;
        },
        subject.shaping(),
        subject.assignment(workers, folder),
        MemoryBudget.bytes());
  }

  /// Closes the program and opens it again, as after a restart: checkpoints stay.
  void startAnew(Subject subject) {
    crew.close();
    clocks.clear();
    crew = crew(subject);
  }

  /// Opens the program; there is no branch yet.
  static Trial open(Subject subject, int workers) {
    return open(subject, workers, 0);
  }

  /// @param staleness that settings name, so that workers take turns as it permits
  static Trial open(Subject subject, int workers, int staleness) {
    Path folder = newFolder();
    try {
      return new Trial(subject, workers, staleness, folder);
    } catch (RuntimeException | Error failure) {
      delete(folder);
      throw failure;
    }
  }

  /// Opens the program with the root branch, on the subject's setting.
  static Trial begin(Subject subject, int workers) throws InterruptedException {
    Trial trial = open(subject, workers);
    try {
      trial.create(subject.setting());
      return trial;
    } catch (InterruptedException | RuntimeException | Error failure) {
      try (Trial _ = trial) {
        throw failure;
      }
    }
  }

  /// What clocks came to, by worker.
  ///
  /// @param lossSums of each clock
  /// @param samples of each clock
  record Clocks(List<List<Double>> lossSums, List<List<Long>> samples) {
    double lossSum(int clock) {
      return lossSums.stream().mapToDouble(worker -> worker.get(clock)).sum();
    }

    long samples(int clock) {
      return samples.stream().mapToLong(worker -> worker.get(clock)).sum();
    }

    double meanLoss(int clock) {
      return lossSum(clock) / Math.max(1, samples(clock));
    }

    int count() {
      return lossSums.getFirst().size();
    }
  }

  /// The parameters of a branch at one time.
  ///
  /// @param hash of all values, by table
  /// @param values some of them, spread over the rows, by table
  record Parameters(Map<String, Long> hash, Map<String, float[]> values) {}

  ProgramShape shape() {
    return crew.shape();
  }

  /// {@return the programs of all workers}
  List<TrainingProgram> programs() {
    return programs;
  }

  int probeSamples() {
    return crew.probeSamples();
  }

  int trainingSamples() {
    return crew.trainingSamples();
  }

  int defaultBatchSize() {
    return crew.defaultBatchSize();
  }

  void create(Setting setting) throws InterruptedException {
    say(new BranchCommand.Create(ROOT, setting));
  }

  void fork(BranchId branch, BranchId parent, Setting setting) throws InterruptedException {
    say(new BranchCommand.Fork(branch, parent, BranchKind.TRIAL, setting));
  }

  Clocks run(BranchId branch, int count) throws InterruptedException {
    return run(branch, count, Shape.CONSTANT);
  }

  Clocks run(BranchId branch, int count, Shape shape) throws InterruptedException {
    long until = clocks.merge(branch, (long) count, Long::sum);
    var lossSums = new ArrayList<List<Double>>();
    var samples = new ArrayList<List<Long>>();
    for (List<WorkerReport> reports :
        say(new BranchCommand.Schedule(branch, until, until, shape))) {
      var ofWorker = new ArrayList<Double>();
      var samplesOfWorker = new ArrayList<Long>();
      for (WorkerReport report : reports) {
        if (report instanceof WorkerReport.Progressed progressed) {
          ofWorker.addAll(progressed.lossSums());
          samplesOfWorker.addAll(progressed.samples());
        }
      }
      lossSums.add(ofWorker);
      samples.add(samplesOfWorker);
    }
    return new Clocks(lossSums, samples);
  }

  /// {@return what each worker measured}
  List<WorkerReport.Evaluated> evaluate(BranchId branch) throws InterruptedException {
    return evaluated(new BranchCommand.Evaluate(branch, ++evaluation));
  }

  /// {@return the loss of each block of the samples that judge, by worker}
  List<List<Double>> probe(BranchId branch) throws InterruptedException {
    return probed(branch).stream().map(WorkerReport.Evaluated::losses).toList();
  }

  List<WorkerReport.Evaluated> probed(BranchId branch) throws InterruptedException {
    return evaluated(new BranchCommand.Probe(branch, ++evaluation, probeSamples()));
  }

  private List<WorkerReport.Evaluated> evaluated(BranchCommand command)
      throws InterruptedException {
    return say(command).stream()
        .flatMap(List::stream)
        .filter(WorkerReport.Evaluated.class::isInstance)
        .map(WorkerReport.Evaluated.class::cast)
        .toList();
  }

  void checkpoint(BranchId branch, long number) throws InterruptedException {
    for (List<WorkerReport> reports : say(new BranchCommand.Checkpoint(branch, number))) {
      for (WorkerReport report : reports) {
        if (report instanceof WorkerReport.CheckpointFailed(long _, String message)) {
          throw new EspalierException(ErrorCode.CHECKPOINT_FAILED, message);
        }
      }
    }
  }

  void restore(BranchId branch, long number, Setting setting) throws InterruptedException {
    say(new BranchCommand.Restore(branch, number, setting));
  }

  private List<List<WorkerReport>> say(BranchCommand command) throws InterruptedException {
    return crew.execute(command, 1 + staleness);
  }

  Parameters parameters(BranchId branch) {
    return crew.measure(
        branch,
        tables -> {
          var hash = new LinkedHashMap<String, Long>();
          var values = new LinkedHashMap<String, float[]>();
          for (TableDeclaration table : crew.shape().tables()) {
            ParameterTable read = tables.apply(table.name());
            hash.put(table.name(), hash(read));
            values.put(table.name(), someValues(read));
          }
          return new Parameters(hash, values);
        });
  }

  private static long hash(ParameterTable table) {
    int columns = table.columns();
    int step = Math.max(1, READ_VALUES / columns);
    long hash = 1;
    for (long row = 0; row < table.rows(); row += step) {
      int count = (int) Math.min(step, table.rows() - row);
      float[] values = new float[count * columns];
      table.read(row, count, values, 0);
      for (float value : values) {
        hash = 0x9E3779B97F4A7C15L * (hash ^ Float.floatToRawIntBits(value));
        hash ^= hash >>> 29;
      }
    }
    return hash;
  }

  private static float[] someValues(ParameterTable table) {
    int columns = table.columns();
    int count = (int) Math.clamp((long) KEPT_VALUES / columns, 1, table.rows());
    long[] rows = new long[count];
    Arrays.setAll(rows, i -> i * table.rows() / count);
    float[] values = new float[count * columns];
    table.read(rows, count, values);
    return values;
  }

  private static Path newFolder() {
    try {
      return Files.createTempDirectory("espalier-check-");
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @Override
  public void close() {
    try {
      crew.close();
    } finally {
      delete(folder);
    }
  }
}
