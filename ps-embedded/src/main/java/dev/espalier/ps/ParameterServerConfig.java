package dev.espalier.ps;

import dev.espalier.ps.shard.ShardConfig;
import java.time.Duration;

/// How a worker process takes part in the parameter server.
///
/// @param workers number of worker processes, each with one shard, >= 1
/// @param rank which of them this is, in [0, workers)
/// @param densePageBytes size of a page of a dense table, >= 4096
/// @param sparsePageBytes size of a page of a sparse table, >= 4096
/// @param budgetBytes bytes that all pages of this shard may take, >= 1; the JVM's
///   `-XX:MaxDirectMemorySize` (by default the heap's size) bounds them too
/// @param timeout how long anything is waited for, > 0
public record ParameterServerConfig(
    int workers,
    int rank,
    long densePageBytes,
    long sparsePageBytes,
    long budgetBytes,
    Duration timeout) {
  private static final long DENSE_PAGE_BYTES = 256 << 10;
  private static final long SPARSE_PAGE_BYTES = 64 << 10;
  private static final Duration TIMEOUT = Duration.ofSeconds(120);

  /// Checks the bounds.
  public ParameterServerConfig {
    if (workers < 1) {
      throw new IllegalArgumentException("workers must be >= 1 but is " + workers);
    }
    if (rank < 0 || rank >= workers) {
      throw new IllegalArgumentException(
          "rank must be in [0, %d) but is %d".formatted(workers, rank));
    }
    if (!timeout.isPositive()) {
      throw new IllegalArgumentException("timeout must be > 0 but is " + timeout);
    }
  }

  /// Pages of 256 KiB for dense and 64 KiB for sparse tables, waits of 120 seconds.
  public static ParameterServerConfig of(int workers, int rank, long budgetBytes) {
    return new ParameterServerConfig(
        workers, rank, DENSE_PAGE_BYTES, SPARSE_PAGE_BYTES, budgetBytes, TIMEOUT);
  }

  /// This configuration with another timeout.
  public ParameterServerConfig withTimeout(Duration newTimeout) {
    return new ParameterServerConfig(
        workers, rank, densePageBytes, sparsePageBytes, budgetBytes, newTimeout);
  }

  /// This configuration with other page sizes.
  public ParameterServerConfig withPageBytes(long newDensePageBytes, long newSparsePageBytes) {
    return new ParameterServerConfig(
        workers, rank, newDensePageBytes, newSparsePageBytes, budgetBytes, timeout);
  }

  ShardConfig shard() {
    return new ShardConfig(rank, workers, densePageBytes, sparsePageBytes, budgetBytes);
  }
}
