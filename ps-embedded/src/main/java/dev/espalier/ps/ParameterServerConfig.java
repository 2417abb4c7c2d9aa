package dev.espalier.ps;

import dev.espalier.ps.filter.FilterOptions;
import dev.espalier.ps.shard.ShardConfig;
import java.time.Duration;

/// How a worker process takes part in the parameter server.
///
/// @param workers number of worker processes, each with one shard, >= 1
/// @param rank which of them this is, in [0, workers)
/// @param densePageBytes size of a page of a dense table, >= 4096
/// @param sparsePageBytes size of a page of a sparse table, >= 4096
/// @param budgetBytes bytes that all pages of this shard may take, >= 1; elsewhere than on Linux
///   the JVM's `-XX:MaxDirectMemorySize` (by default the heap's size) bounds them too, and there
///   those that are taken by less than 2 MiB
/// @param deviceBytes bytes of a device (GPU) that pages of this shard may take, >= 0; 0 keeps them
///   on the host. What does not fit is in pinned memory of the host, within `budgetBytes`, and
///   moves ahead of its use. Where no device is found, everything is on the host; the log says why
/// @param sharesPages whether other workers on this host may read pages where they lie, in memory
///   that both map, where the system has such memory
/// @param timeout how long anything is waited for, > 0
/// @param filters what is done to updates so that less travels; the same in every process
public record ParameterServerConfig(
    int workers,
    int rank,
    long densePageBytes,
    long sparsePageBytes,
    long budgetBytes,
    long deviceBytes,
    boolean sharesPages,
    Duration timeout,
    FilterOptions filters) {
  private static final long DENSE_PAGE_BYTES = 256 << 10;
  private static final long SPARSE_PAGE_BYTES = 64 << 10;
  private static final long DEVICE_PAGE_BYTES = 1 << 20;
  private static final String DEVICE_PROPERTY = "espalier.gpu.bytes";
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
    if (deviceBytes < 0) {
      throw new IllegalArgumentException("deviceBytes must be >= 0 but is " + deviceBytes);
    }
    if (!timeout.isPositive()) {
      throw new IllegalArgumentException("timeout must be > 0 but is " + timeout);
    }
  }

  /// Pages of 256 KiB for dense and 64 KiB for sparse tables, shared when there are several
  /// workers, waits of 120 seconds, and so many bytes of a device as the system property
  /// `espalier.gpu.bytes` says (default 0).
  public static ParameterServerConfig of(int workers, int rank, long budgetBytes) {
    ParameterServerConfig onHost =
        new ParameterServerConfig(
            workers,
            rank,
            DENSE_PAGE_BYTES,
            SPARSE_PAGE_BYTES,
            budgetBytes,
            0,
            workers > 1,
            TIMEOUT,
            FilterOptions.NONE);
    long deviceBytes = Long.getLong(DEVICE_PROPERTY, 0);
    return deviceBytes == 0 ? onHost : onHost.withDevice(deviceBytes);
  }

  /// This configuration with another timeout.
  public ParameterServerConfig withTimeout(Duration newTimeout) {
    return new ParameterServerConfig(
        workers,
        rank,
        densePageBytes,
        sparsePageBytes,
        budgetBytes,
        deviceBytes,
        sharesPages,
        newTimeout,
        filters);
  }

  /// This configuration with other page sizes.
  public ParameterServerConfig withPageBytes(long newDensePageBytes, long newSparsePageBytes) {
    return new ParameterServerConfig(
        workers,
        rank,
        newDensePageBytes,
        newSparsePageBytes,
        budgetBytes,
        deviceBytes,
        sharesPages,
        timeout,
        filters);
  }

  /// This configuration with pages on a device, where there is one.
  ///
  /// All tables have pages of the dense size there, 1 MiB unless another one was asked for: a
  /// device copies a page in a moment, and the host has fewer to name.
  ///
  /// @param newDeviceBytes bytes of the device that pages may take, >= 0
  public ParameterServerConfig withDevice(long newDeviceBytes) {
    return new ParameterServerConfig(
        workers,
        rank,
        densePageBytes == DENSE_PAGE_BYTES ? DEVICE_PAGE_BYTES : densePageBytes,
        sparsePageBytes,
        budgetBytes,
        newDeviceBytes,
        sharesPages,
        timeout,
        filters);
  }

  /// This configuration with pages that other processes may read, or may not.
  public ParameterServerConfig withSharedPages(boolean newSharesPages) {
    return new ParameterServerConfig(
        workers,
        rank,
        densePageBytes,
        sparsePageBytes,
        budgetBytes,
        deviceBytes,
        newSharesPages,
        timeout,
        filters);
  }

  /// This configuration with other filters.
  public ParameterServerConfig withFilters(FilterOptions newFilters) {
    return new ParameterServerConfig(
        workers,
        rank,
        densePageBytes,
        sparsePageBytes,
        budgetBytes,
        deviceBytes,
        sharesPages,
        timeout,
        newFilters);
  }

  ShardConfig shard() {
    return new ShardConfig(
        rank, workers, densePageBytes, sparsePageBytes, budgetBytes, deviceBytes, sharesPages);
  }
}
