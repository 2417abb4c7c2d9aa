package dev.espalier.runtime.branch;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
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
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
  private static final int PROBE_BLOCK = 16;

  private final TrainingProgram program;
  private final ProgramShape shape;
  private final Assignment assignment;
  private final PsBackend parameters;
  private final CheckpointFolder checkpoints;
  private final Consumer<WorkerReport> reports;
  private final Gate gate;
  private final BranchLedger ledger = new BranchLedger();
  private final ProgressReporter reporter;
  private final SampleSplit split;
  private final SampleOrder order;
  private final ClockContext context;

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
    int samples = shape.trainingSamples();
    this.split = SampleSplit.of(samples, shape.heldOut(assignment.heldOut()), assignment.seed());
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
  public static ProgramEnvironment environment(Assignment assignment) {
    return new ProgramEnvironment(
        assignment.arguments(),
        assignment.data().isEmpty() ? Optional.empty() : Optional.of(Path.of(assignment.data())),
        assignment.worker(),
        assignment.workers(),
        assignment.seed());
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
    int batch = (int) setting.valueOr(Tunable.BATCH_SIZE, shape.defaultBatchSize());
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
      Progress progress = program.clock(context);
      parameters.tick(progress.samples());
      long end = System.nanoTime();
      reporter.add(branch, entry.clock(), progress, (end - start) / 1e9, end);
      entry.advance(globalBatch);
      samples = next;
    }
    reporter.flush();
  }

  private void evaluate(BranchId branch, long evaluation) {
    BranchLedger.Entry entry = ledger.entry(branch);
    long start = System.nanoTime();
    Evaluation result =
        parameters.measure(
            branch,
            () -> program.evaluate(context.at(entry.setting(), new int[0], entry.lineageClock())));
    requireDescribed(result.metrics().keySet());
    reports.accept(report(evaluation, result, (System.nanoTime() - start) / 1e9));
  }

  /// {@return what the tuner is told of what a program measured}
  public static WorkerReport.Evaluated report(long evaluation, Evaluation result, double seconds) {
    var otherSamples = new HashMap<String, Long>();
    result.otherSamples().forEach((metric, count) -> otherSamples.put(metric, (long) count));
    return new WorkerReport.Evaluated(
        evaluation, result.metrics(), result.samples(), seconds, List.of(), otherSamples);
  }

  /// What was measured on other samples, such as a test set's, judges nothing.
  private MetricSpec judged(Evaluation measured) {
    return MetricSpec.lossOf(
        program.describe().validation().stream()
            .filter(metric -> !measured.otherSamples().containsKey(metric.name()))
            .toList());
  }

  private double requireMeasured(MetricSpec metric, @Nullable Double value) {
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
    int size = (int) Math.min(samples, shape.probeSamples(assignment.heldOut()));
    boolean isOfValidation =
        assignment.heldOut().isOfValidation(shape.trainingSamples(), shape.validationSamples());
    long start = System.nanoTime();
    List<Block> blocks =
        parameters.measure(
            branch,
            () -> isOfValidation ? validationBlocks(entry, size) : heldOutBlocks(entry, size));
    reports.accept(
        new WorkerReport.Evaluated(
            evaluation,
            Map.of(),
            blocks.stream().mapToLong(Block::samples).sum(),
            (System.nanoTime() - start) / 1e9,
            blocks.stream().map(Block::loss).toList(),
            Map.of()));
  }

  /// One number of a probe.
  ///
  /// @param loss mean over the block's samples
  private record Block(double loss, int samples) {}

  /// Numbers of the blocks that are this worker's: block b is measured by worker b mod workers.
  private IntStream ownBlocks(int count) {
    return IntStream.iterate(
        assignment.worker(), block -> block < count, block -> block + assignment.workers());
  }

  private List<Block> heldOutBlocks(BranchLedger.Entry entry, int size) {
    return ownBlocks(Math.ceilDiv(size, PROBE_BLOCK))
        .mapToObj(block -> {
          int from = block * PROBE_BLOCK;
          int until = Math.min(from + PROBE_BLOCK, size);
          int[] samples = Arrays.copyOfRange(split.probe(), from, until);
          context.at(entry.setting(), samples, entry.lineageClock()).withStream(-1L - from);
          Progress progress = program.loss(context);
          double loss = progress.lossSum() / Math.max(1, progress.samples());
          return new Block(loss, samples.length);
        })
        .toList();
  }

  /// Each block is one of the equal parts that all validation samples are cut into, every so many
  /// samples one, so that the blocks of a part of the samples are like those of all.
  private List<Block> validationBlocks(BranchLedger.Entry entry, int size) {
    int all = shape.validationSamples();
    int parts = Math.ceilDiv(all, PROBE_BLOCK);
    return ownBlocks(Math.ceilDiv(size, PROBE_BLOCK))
        .mapToObj(block -> {
          context.at(entry.setting(), new int[0], entry.lineageClock()).ofPart(block, parts, all);
          Evaluation measured = program.evaluate(context.withStream(-1L - block));
          MetricSpec judged = judged(measured);
          Double value = measured.metrics().get(judged.name());
          return new Block(
              judged.asLoss(requireMeasured(judged, value)), Math.ceilDiv(all - block, parts));
        })
        .toList();
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
    var _ =
        parameters
            .checkpoint(branch, checkpoints.shardFile(checkpoint))
            .whenComplete((sizeBytes, shardFailure) ->
                reports.accept(
                    checkpointReport(checkpoint, sizeBytes, shardFailure, placeFailure)));
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

  private void drop(long checkpoint) {
    try {
      checkpoints.drop(checkpoint);
    } catch (IOException failure) {
      log.warn("checkpoint={} cannot be deleted: {}", checkpoint, failure.getMessage());
    }
  }
}
