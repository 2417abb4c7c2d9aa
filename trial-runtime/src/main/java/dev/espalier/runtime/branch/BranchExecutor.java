package dev.espalier.runtime.branch;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.data.SampleOrder;
import dev.espalier.data.SampleSplit;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TrainingProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Executes branch commands on a program and its parameters, and reports what came of them: fork,
/// run clocks, evaluate, free.
///
/// Knows no tuner: commands come from whoever calls, in clock order, by one thread, which owns
/// everything here.
public final class BranchExecutor {
  private static final Logger log = LoggerFactory.getLogger(BranchExecutor.class);

  /// Samples whose mean loss is one number of a probe: enough blocks for a test of differences, few
  /// enough to be written into a log.
  public static final int PROBE_BLOCK = 16;

  private final TrainingProgram program;
  private final ProgramShape shape;
  private final Assignment assignment;
  private final PsBackend parameters;
  private final CheckpointFolder checkpoints;
  private final Consumer<WorkerReport> reports;
  private final Gate gate;
  private final BranchLedger ledger = new BranchLedger();
  private final int defaultBatchSize;
  private final ProgressReporter reporter;

  /// Numbers of the samples that judge branches, of the training or of the validation data.
  private final int[] probeSet;

  private final boolean isJudgedByValidation;
  private final SampleOrder order;
  private final ClockContext context;

  /// What writes checkpoints, by their number; those that have ended stay until the next one.
  private final Map<Long, CompletableFuture<?>> saving = new HashMap<>();

  /// Lets clocks through, or makes them wait.
  public interface Gate {
    /// Called before each clock; returns when it may run.
    void pass() throws InterruptedException;
  }

  /// @param shape what `program` said when it was opened
  /// @param assignment which worker this is; its program and data have been opened already
  /// @param reports takes every report, and does not block
  public BranchExecutor(
      TrainingProgram program,
      ProgramShape shape,
      Assignment assignment,
      PsBackend parameters,
      CheckpointFolder checkpoints,
      Consumer<WorkerReport> reports,
      Gate gate) {
    this.program = program;
    this.shape = shape;
    this.assignment = assignment;
    this.parameters = parameters;
    this.checkpoints = checkpoints;
    this.reports = reports;
    this.gate = gate;
    this.reporter = new ProgressReporter(reports, System.nanoTime());
    this.defaultBatchSize = shape.batchSize(assignment.heldOut(), assignment.workers());
    int samples = shape.trainingSamples();
    var split = SampleSplit.of(samples, shape.heldOut(assignment.heldOut()), assignment.seed());
    this.isJudgedByValidation =
        assignment.heldOut().isOfValidation(samples, shape.validationSamples());
    this.probeSet =
        isJudgedByValidation
            ? SampleSplit.drawnFirst(
                shape.validationSamples(), shape.validationSamples(), assignment.seed())
            : split.probe();
    this.order =
        new SampleOrder(
            split,
            shape.samplesPerRun(),
            assignment.seed(),
            assignment.worker(),
            assignment.workers(),
            shape.isDealtOut());
    this.context = new ClockContext(assignment, parameters);
  }

  /// {@return what the program of a worker is opened with}
  ///
  /// @throws EspalierException `INVALID_DATA` when there is no such data folder
  public static ProgramEnvironment environment(Assignment assignment) {
    return new ProgramEnvironment(
        assignment.arguments(),
        assignment.data().isEmpty() ? Optional.empty() : Optional.of(folder(assignment.data())),
        assignment.worker(),
        assignment.workers(),
        assignment.seed());
  }

  /// A worker that came by itself finds the job's data below the folder it was started in.
  private static Path folder(String data) {
    Path folder = Path.of(data).toAbsolutePath();
    if (!Files.isDirectory(folder)) {
      throw new EspalierException(
          ErrorCode.INVALID_DATA,
          folder + ": expected the data folder of the job but there is none");
    }
    return folder;
  }

  /// Executes one command to its end; a checkpoint is reported later, once it is durable.
  public void execute(BranchCommand command) throws InterruptedException {
    switch (command) {
      case BranchCommand.Create(BranchId branch, Setting setting) -> create(branch, setting);
      case BranchCommand.Restore(BranchId branch, long checkpoint, Setting setting) ->
          restore(branch, checkpoint, setting);
      case BranchCommand.Fork fork -> fork(fork.branch(), fork.parent(), fork.setting());
      case BranchCommand.Schedule schedule ->
          runClocks(schedule.branch(), schedule.untilClock(), schedule.shape());
      case BranchCommand.Evaluate(BranchId branch, long evaluation) -> evaluate(branch, evaluation);
      case BranchCommand.Probe(BranchId branch, long evaluation, long samples) ->
          probe(branch, evaluation, samples);
      case BranchCommand.Free(BranchId branch) -> {
        parameters.free(branch);
        ledger.free(branch);
      }
      case BranchCommand.Checkpoint(BranchId branch, long checkpoint) ->
          checkpoint(branch, checkpoint);
      case BranchCommand.DropCheckpoint(long checkpoint) -> drop(checkpoint);
      case BranchCommand.Stop() -> reporter.flush();
    }
  }

  /// {@return clocks that `branch` itself has run}
  public long clock(BranchId branch) {
    return ledger.entry(branch).clock();
  }

  /// Reports what has been gathered so far.
  public void flush() {
    reporter.flush();
  }

  private void create(BranchId branch, Setting setting) throws InterruptedException {
    parameters.create(branch);
    ledger.create(branch, setting);
    if (assignment.worker() == 0) {
      parameters.initialise(branch, () -> program.initialise(context.at(setting, new int[0], 0)));
    }
    parameters.awaitAll("initialised-" + branch.number());
  }

  private void restore(BranchId branch, long checkpoint, Setting setting)
      throws InterruptedException {
    CheckpointFolder.Place place = checkpoints.readPlace(checkpoint);
    parameters.restore(branch, checkpoints.shardFile(checkpoint));
    ledger.restore(branch, setting, place.lineageClock(), place.position());
    log.info("branch={} restored from checkpoint={}", branch, checkpoint);
  }

  private void fork(BranchId branch, BranchId parent, Setting setting) throws InterruptedException {
    long start = System.nanoTime();
    parameters.fork(branch, parent);
    ledger.fork(branch, parent, setting);
    reports.accept(new WorkerReport.Forked(branch, (System.nanoTime() - start) / 1e9));
  }

  /// Runs a branch until it has run `untilClock` clocks of its own.
  ///
  /// @param rate what the learning rate is multiplied with
  public void runClocks(BranchId branch, long untilClock, Shape rate) throws InterruptedException {
    BranchLedger.Entry entry = ledger.entry(branch);
    Setting setting = entry.setting();
    int batch = (int) setting.valueOr(Tunable.BATCH_SIZE, defaultBatchSize);
    long globalBatch = (long) batch * assignment.workers();
    int[] samples = order.samples(entry.position(), batch);
    while (entry.clock() < untilClock) {
      gate.pass();
      long start = System.nanoTime();
      double learningRate = parameters.select(branch, setting, rate.factor(entry.clock()));
      int[] next = order.samples(entry.position() + globalBatch, batch);
      context.at(setting, samples, entry.lineageClock()).withLearningRate(learningRate);
      if (assignment.workers() > 1) {
        context.before(next);
      }
      Progress progress = returned(program.clock(context), "clock");
      parameters.tick(progress.samples());
      long end = System.nanoTime();
      reporter.add(branch, entry.clock(), progress, (end - start) / 1e9, end);
      entry.advance(globalBatch);
      samples = next;
    }
    reporter.flush();
  }

  private <T> T returned(@Nullable T value, String method) {
    return ProgramFailure.requireReturned(program.describe().name(), value, method);
  }

  private void evaluate(BranchId branch, long evaluation) {
    BranchLedger.Entry entry = ledger.entry(branch);
    long start = System.nanoTime();
    Evaluation result =
        parameters.measure(
            branch,
            () ->
                returned(
                    program.evaluate(context.at(entry.setting(), new int[0], entry.lineageClock())),
                    "evaluate"));
    requireDescribed(result.metrics().keySet());
    reports.accept(report(evaluation, result, (System.nanoTime() - start) / 1e9));
  }

  /// {@return what the tuner is told of what a program measured}
  public static WorkerReport.Evaluated report(long evaluation, Evaluation result, double seconds) {
    var otherSamples = new HashMap<String, Long>();
    result.otherSamples().forEach((metric, count) -> otherSamples.put(metric, (long) count));
    return new WorkerReport.Evaluated(
        evaluation,
        result.metrics(),
        result.samples(),
        seconds,
        List.of(),
        otherSamples,
        List.of());
  }

  private double requireMeasured(MetricSpec metric, Evaluation measured) {
    Double value = measured.metrics().get(metric.name());
    if (value == null) {
      throw new EspalierException(
          ErrorCode.PROGRAM_FAILED,
          "program %s measured no %s of a part of the validation samples, though its descriptor lists it"
              .formatted(program.describe().name(), metric.name()));
    }
    return value;
  }

  /// What the descriptor does not list has no goal and no way to be joined over the workers.
  private void requireDescribed(Set<String> measured) {
    ProgramDescriptor descriptor = program.describe();
    List<String> described = descriptor.validation().stream().map(MetricSpec::name).toList();
    List<String> unknown = measured.stream().filter(name -> !described.contains(name)).toList();
    if (!unknown.isEmpty() || !measured.contains(described.getFirst())) {
      throw new EspalierException(
          ErrorCode.PROGRAM_FAILED,
          "program %s measured %s in evaluate, but its descriptor lists %s"
              .formatted(descriptor.name(), measured, described));
    }
  }

  /// Measures the blocks of the probe set that are this worker's, one by one.
  private void probe(BranchId branch, long evaluation, long samples) {
    BranchLedger.Entry entry = ledger.entry(branch);
    List<int[]> blocks = ownBlocks((int) Math.min(samples, probeSet.length));
    List<MetricSpec> metrics = program.describe().validation();
    long start = System.nanoTime();
    List<Judged> judged =
        parameters.measure(
            branch, () -> blocks.stream().map(block -> judge(entry, block, metrics)).toList());
    reports.accept(
        new WorkerReport.Evaluated(
            evaluation,
            measuredIn(judged),
            blocks.stream().mapToLong(block -> block.length).sum(),
            (System.nanoTime() - start) / 1e9,
            judged.stream().map(Judged::loss).toList(),
            Map.of(),
            judged.stream().flatMap(block -> block.score().stream()).toList()));
  }

  /// {@return the metric that judges where its large values are good, over all blocks; else none}
  private static Map<String, Double> measuredIn(List<Judged> blocks) {
    return blocks.stream()
        .flatMap(block -> block.metric().stream())
        .findFirst()
        .map(metric ->
            Map.of(
                metric.name(),
                -blocks.stream().mapToDouble(Judged::loss).average().orElse(Double.NaN)))
        .orElse(Map.of());
  }

  /// Block b is measured by worker b mod workers.
  private List<int[]> ownBlocks(int size) {
    return IntStream.iterate(
            PROBE_BLOCK * assignment.worker(),
            from -> from < size,
            from -> from + PROBE_BLOCK * assignment.workers())
        .mapToObj(from -> Arrays.copyOfRange(probeSet, from, Math.min(from + PROBE_BLOCK, size)))
        .toList();
  }

  /// A block of the probe set.
  ///
  /// @param score of the program's first metric, where the loss is of another
  /// @param metric whose negative the loss is, for want of a loss
  private record Judged(double loss, Optional<Double> score, Optional<MetricSpec> metric) {}

  private Judged judge(BranchLedger.Entry entry, int[] block, List<MetricSpec> metrics) {
    // The same random numbers for all branches, and others for each block.
    long stream = -1L - block[0];
    if (!isJudgedByValidation) {
      context.at(entry.setting(), block, entry.lineageClock()).withStream(stream);
      Progress progress = returned(program.loss(context), "loss");
      return new Judged(
          progress.lossSum() / Math.max(1, progress.samples()), Optional.empty(), Optional.empty());
    }
    context
        .at(entry.setting(), new int[0], entry.lineageClock())
        .withStream(stream)
        .ofPart(block, shape.validationSamples());
    Evaluation measured = returned(program.evaluate(context), "evaluate");
    // Of a part a program may leave out what it measures on other samples.
    List<MetricSpec> ofPart =
        metrics.stream().filter(one -> measured.metrics().containsKey(one.name())).toList();
    MetricSpec judged =
        MetricSpec.lossOf(ofPart.isEmpty() ? metrics : ofPart, measured.otherSamples().keySet());
    MetricSpec first = metrics.getFirst();
    boolean isOther = !first.equals(judged) && !measured.otherSamples().containsKey(first.name());
    return new Judged(
        judged.asLoss(requireMeasured(judged, measured)),
        isOther ? Optional.of(first.asLoss(requireMeasured(first, measured))) : Optional.empty(),
        Optional.of(judged).filter(metric -> metric.goal() == Goal.MAXIMIZE));
  }

  /// Saving is collective, so this worker's shard is saved even when its place cannot be: the other
  /// workers wait for it.
  private void checkpoint(BranchId branch, long checkpoint) {
    BranchLedger.Entry entry = ledger.entry(branch);
    Optional<IOException> noPlace = Optional.empty();
    try {
      checkpoints.writePlace(
          checkpoint, new CheckpointFolder.Place(entry.lineageClock(), entry.position()));
    } catch (IOException failure) {
      noPlace = Optional.of(failure);
    }
    Optional<IOException> placeFailure = noPlace;
    CompletableFuture<Long> saved =
        parameters
            .checkpoint(branch, checkpoints.shardFile(checkpoint))
            .whenComplete((sizeBytes, shardFailure) ->
                reports.accept(
                    checkpointReport(checkpoint, sizeBytes, shardFailure, placeFailure)));
    saving.values().removeIf(CompletableFuture::isDone);
    saving.put(checkpoint, saved);
  }

  private WorkerReport checkpointReport(
      long checkpoint,
      @Nullable Long sizeBytes,
      @Nullable Throwable shardFailure,
      Optional<IOException> placeFailure) {
    if (placeFailure.isEmpty() && shardFailure == null && sizeBytes != null) {
      return new WorkerReport.CheckpointWritten(checkpoint, sizeBytes);
    }
    Throwable failure = shardFailure != null ? shardFailure : placeFailure.orElseThrow();
    return new WorkerReport.CheckpointFailed(
        checkpoint, "worker " + assignment.worker() + ": " + text(failure));
  }

  private static String text(Throwable failure) {
    Throwable cause = failure.getCause() == null ? failure : failure.getCause();
    return cause.getMessage() == null ? cause.toString() : cause.getMessage();
  }

  /// One that is still being written is dropped after it: what is there now is not all of it.
  private void drop(long checkpoint) {
    CompletableFuture<?> saved = saving.remove(checkpoint);
    if (saved == null) {
      delete(checkpoint);
    } else {
      var _ = saved.whenComplete((_, _) -> delete(checkpoint));
    }
  }

  private void delete(long checkpoint) {
    try {
      checkpoints.drop(checkpoint);
    } catch (IOException failure) {
      log.warn("checkpoint={} cannot be deleted: {}", checkpoint, failure.getMessage());
    }
  }
}
