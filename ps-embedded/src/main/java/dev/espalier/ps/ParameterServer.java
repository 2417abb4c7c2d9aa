package dev.espalier.ps;

import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.shard.Shard;
import dev.espalier.ps.shard.ShardStats;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.ShardEndpoint;
import dev.espalier.ps.transport.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// One process's part of the parameter server: the shard it holds and the way in for its worker.
///
/// Parameters are versioned by branch; a fork shares all memory with its parent until either is
/// written. Thread-safe; each [WorkerSession] belongs to one thread.
public final class ParameterServer implements AutoCloseable {
  private static final int MAX_PENDING_CHECKPOINTS = 64;

  private final ParameterServerConfig config;
  private final List<TableSpec> tables;
  private final Shard shard;
  private final ExecutorService checkpointThread;

  private ParameterServer(ParameterServerConfig config, List<TableSpec> tables) {
    this.config = config;
    this.tables = List.copyOf(tables);
    List<TableSpec> all = new ArrayList<>(tables);
    all.addAll(config.filters().hiddenTables(tables, config.workers()));
    shard = new Shard(config.shard(), all, RowKernelsProvider.best());
    checkpointThread =
        new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(MAX_PENDING_CHECKPOINTS),
            Thread.ofPlatform().daemon().name("ps-checkpoint-" + config.rank()).factory());
  }

  /// Opens a parameter server without branches.
  ///
  /// @param config this process's place and memory
  /// @param tables the tables, the same in every process; a table's index is its place in this list
  /// @throws IllegalArgumentException when there is no table or two have the same name
  public static ParameterServer open(ParameterServerConfig config, List<TableSpec> tables) {
    if (tables.isEmpty()) {
      throw new IllegalArgumentException("number of tables must be >= 1 but is 0");
    }
    Set<String> names = tables.stream().map(TableSpec::name).collect(Collectors.toSet());
    if (names.size() < tables.size()) {
      throw new IllegalArgumentException(
          "names of tables must differ but are " + tables.stream().map(TableSpec::name).toList());
    }
    return new ParameterServer(config, tables);
  }

  /// Starts the session of this process's worker.
  ///
  /// @param transport the way to all shards, this one included
  public WorkerSession session(Transport transport) {
    return new WorkerSession(this, transport);
  }

  /// Starts the session of the only worker.
  ///
  /// @throws IllegalStateException when there are more workers than one
  public WorkerSession session() {
    if (config.workers() != 1) {
      throw new IllegalStateException(
          "workers must be 1 for a session without transport but is " + config.workers());
    }
    return session(Transport.inProcess(List.of(shard)));
  }

  /// The shard of this process, for a transport inside it.
  public Shard shard() {
    return shard;
  }

  /// The shard of this process, for a transport from other processes.
  public ShardEndpoint endpoint() {
    return new ShardEndpoint(shard);
  }

  /// The tables by index.
  public List<TableSpec> tables() {
    return tables;
  }

  /// The configuration.
  public ParameterServerConfig config() {
    return config;
  }

  /// What the shard of this process has done and holds.
  public ShardStats stats() {
    return shard.stats();
  }

  /// Where checkpoints are written.
  ExecutorService checkpointThread() {
    return checkpointThread;
  }

  /// Waits for checkpoints in progress, refuses what still waits and frees all memory.
  @Override
  public void close() {
    checkpointThread.close();
    shard.close();
  }
}
