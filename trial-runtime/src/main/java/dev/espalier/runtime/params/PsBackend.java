package dev.espalier.runtime.params;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.WorkerSession;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.checkpoint.CheckpointStore;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.filter.FilterOptions;
import dev.espalier.ps.optim.RuleOptions;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.plan.PlanOptions;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.Transport;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.TableDeclaration;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/// Branch commands and tables on the parameter server.
///
/// Owned by the worker's loop.
public final class PsBackend implements AutoCloseable {
  /// A pause may stop one worker a clock before another, which then waits inside its clock for as
  /// long as the pause lasts. A worker that is gone shows as a lost link, at once.
  private static final Duration PATIENCE = Duration.ofDays(7);

  private final ParameterServer server;
  private final WorkerSession session;
  private final Map<String, PsParameterTable> tables = new LinkedHashMap<>();

  /// @param transport the way to all shards, this one's included
  public PsBackend(ParameterServer server, Transport transport) {
    this.server = server;
    this.session = server.session(transport);
    session.planRepeatedAccess(PlanOptions.all());
    for (TableSpec spec : server.tables()) {
      tables.put(spec.name(), new PsParameterTable(session, session.table(spec.name()), spec));
    }
  }

  /// Opens this worker's shard for a program's tables, without filters.
  ///
  /// @throws EspalierException `INVALID_JOB` for an unknown update rule or constant
  public static ParameterServer openServer(
      int workers, int worker, long memoryBytes, List<TableDeclaration> tables) {
    return openServer(workers, worker, memoryBytes, tables, 0, FilterOptions.NONE);
  }

  /// Opens this worker's shard for a program's tables.
  ///
  /// @param gpuMemoryBytes bytes of a GPU's memory to keep them in; 0 for the host
  /// @throws EspalierException `INVALID_JOB` for an unknown update rule or constant
  public static ParameterServer openServer(
      int workers,
      int worker,
      long memoryBytes,
      List<TableDeclaration> tables,
      long gpuMemoryBytes,
      FilterOptions filters) {
    ParameterServerConfig config =
        ParameterServerConfig.of(workers, worker, memoryBytes)
            .withTimeout(PATIENCE)
            .withFilters(filters);
    try {
      return ParameterServer.open(
          gpuMemoryBytes > 0 ? config.withDevice(gpuMemoryBytes) : config, specs(tables));
    } catch (IllegalArgumentException failure) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB, String.valueOf(failure.getMessage()), failure);
    }
  }

  /// Checks what a program says of its tables, without opening them.
  ///
  /// @throws EspalierException `INVALID_JOB` for an unknown update rule or constant
  public static void requireKnown(List<TableDeclaration> tables) {
    try {
      var _ = specs(tables);
    } catch (IllegalArgumentException failure) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB, String.valueOf(failure.getMessage()), failure);
    }
  }

  private static List<TableSpec> specs(List<TableDeclaration> tables) {
    return tables.stream().map(PsBackend::spec).toList();
  }

  private static TableSpec spec(TableDeclaration table) {
    try {
      return asDeclared(table);
    } catch (IllegalArgumentException failure) {
      throw new IllegalArgumentException(
          "table %s: %s".formatted(table.name(), failure.getMessage()), failure);
    }
  }

  private static TableSpec asDeclared(TableDeclaration table) {
    TableSpec spec =
        switch (table.access()) {
          case DENSE -> TableSpec.dense(table.name(), table.rows(), table.columns(), table.rule());
          case MATRIX ->
              TableSpec.matrix(table.name(), table.rows(), table.columns(), table.rule());
          case SPARSE ->
              TableSpec.sparse(table.name(), table.rows(), table.columns(), table.rule());
        };
    RuleOptions options = spec.options();
    for (Map.Entry<String, Double> option : table.options().entrySet()) {
      options = with(options, option.getKey(), option.getValue());
    }
    return spec.withOptions(options);
  }

  private static RuleOptions with(RuleOptions options, String name, double value) {
    return switch (name) {
      case "momentum" -> options.withMomentum(value);
      case "decay" -> options.withDecay(value);
      case "beta2" -> options.withBeta2(value);
      case "epsilon" -> options.withEpsilon(value);
      case "weightDecay" -> options.withWeightDecay(value);
      case "l1" -> options.withPenalties(value, options.l2());
      case "l2" -> options.withPenalties(options.l1(), value);
      case "initialAccumulator" -> options.withInitialAccumulator(value);
      default ->
          throw new IllegalArgumentException(
              "there is no rule constant %s; there are beta2, decay, epsilon, initialAccumulator, l1, l2, momentum and weightDecay"
                  .formatted(name));
    };
  }

  private static BranchRef ref(BranchId branch) {
    return new BranchRef(branch.number());
  }

  public void create(BranchId branch) {
    session.create(ref(branch));
    session.awaitQuiet();
  }

  public void restore(BranchId branch, Path file) {
    session.restore(ref(branch), file);
    session.awaitQuiet();
  }

  /// Runs `program`, which may assign initial values to the branch's tables, but add no gradients.
  public void initialise(BranchId branch, Runnable program) {
    try (Purpose _ = begin(branch, PsParameterTable.Use.INITIALISING)) {
      program.run();
    }
    session.awaitQuiet();
  }

  /// What tables are used for until it is closed.
  private interface Purpose extends AutoCloseable {
    @Override
    void close();
  }

  private Purpose begin(BranchId branch, PsParameterTable.Use use) {
    selectForReading(branch);
    tables.values().forEach(table -> table.use(use));
    return () -> tables.values().forEach(table -> table.use(PsParameterTable.Use.TRAINING));
  }

  /// Forks; returns when every shard has done it.
  public void fork(BranchId branch, BranchId parent) {
    session.fork(ref(branch), ref(parent));
    session.awaitQuiet();
  }

  public void free(BranchId branch) {
    session.free(ref(branch));
  }

  /// {@return what `measurement` gives, which may read the tables of `branch` with all updates of
  /// all workers in; gradients that it adds are thrown away}
  public <T> T measure(BranchId branch, Supplier<T> measurement) {
    try (Purpose _ = begin(branch, PsParameterTable.Use.MEASURING)) {
      return measurement.get();
    }
  }

  /// Makes `branch` the one that is read and updated, as its setting says.
  ///
  /// @param rateFactor what the learning rate is multiplied with, in [0, 1]
  /// @return the learning rate that comes of it
  public double select(BranchId branch, Setting setting, double rateFactor) {
    double rate =
        rateFactor * setting.valueOr(Tunable.LEARNING_RATE, Tunable.DEFAULT_LEARNING_RATE);
    session.select(
        ref(branch),
        new Staleness((int) setting.valueOr(Tunable.STALENESS, 0)),
        new StepSize(rate, setting.valueOr(Tunable.MOMENTUM, Double.NaN)));
    return rate;
  }

  /// Makes `branch` the one that is read, with all updates of all workers in.
  private void selectForReading(BranchId branch) {
    session.select(ref(branch), Staleness.bulkSynchronous(), StepSize.noUpdate());
  }

  /// Ends the clock: sends what was added to all shards.
  public void tick(int samples) {
    session.tick(samples);
  }

  /// Waits until all workers have come here.
  public void awaitAll(String barrier) {
    session.awaitBarrier(barrier);
  }

  /// Enters a barrier without waiting.
  public CompletableFuture<Boolean> enter(String barrier) {
    return session.vote(barrier);
  }

  /// Leaves a barrier.
  ///
  /// @return whether it was too late: all had come
  public boolean leave(String barrier) {
    return session.withdraw(barrier);
  }

  /// Writes this worker's shard of a branch while training goes on.
  ///
  /// @return the size of its files in bytes once it is durable
  public CompletableFuture<Long> checkpoint(BranchId branch, Path file) {
    return session
        .checkpoint(ref(branch), file)
        .thenApply(_ -> {
          try {
            return CheckpointStore.sizeBytes(file);
          } catch (IOException failure) {
            throw new EspalierException(
                ErrorCode.CHECKPOINT_FAILED, file + " is gone: " + failure, failure);
          }
        });
  }

  /// @throws IllegalArgumentException when the program declared no such table
  public ParameterTable table(String name) {
    PsParameterTable table = tables.get(name);
    if (table == null) {
      throw new IllegalArgumentException(
          "there is no table " + name + "; there are " + tables.keySet());
    }
    return table;
  }

  @Override
  public void close() {
    session.close();
    server.close();
  }
}
