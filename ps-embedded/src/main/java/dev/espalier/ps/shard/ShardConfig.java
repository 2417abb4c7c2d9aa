package dev.espalier.ps.shard;

/// Which shard of how many this is, and its memory.
///
/// @param index of this shard, in [0, workers)
/// @param workers number of shards, which is the number of workers, >= 1
/// @param densePageBytes size of a page of a dense table, >= 4096
/// @param sparsePageBytes size of a page of a sparse table, >= 4096
/// @param budgetBytes bytes of the host that all pages together may take, >= 1
/// @param deviceBytes bytes of a device that pages may take where there is one, >= 0; 0 keeps all
///   pages on the host
/// @param sharesPages whether processes of the same host and user may read pages where they lie
public record ShardConfig(
    int index,
    int workers,
    long densePageBytes,
    long sparsePageBytes,
    long budgetBytes,
    long deviceBytes,
    boolean sharesPages) {
  private static final long MIN_PAGE_BYTES = 4096;

  /// A shard on the host.
  public ShardConfig(
      int index, int workers, long densePageBytes, long sparsePageBytes, long budgetBytes) {
    this(index, workers, densePageBytes, sparsePageBytes, budgetBytes, 0, false);
  }

  /// Checks the bounds.
  public ShardConfig {
    if (workers < 1) {
      throw new IllegalArgumentException("workers must be >= 1 but is " + workers);
    }
    if (index < 0 || index >= workers) {
      throw new IllegalArgumentException(
          "index must be in [0, %d) but is %d".formatted(workers, index));
    }
    if (densePageBytes < MIN_PAGE_BYTES) {
      throw new IllegalArgumentException("densePageBytes must be >= 4096 but is " + densePageBytes);
    }
    if (sparsePageBytes < MIN_PAGE_BYTES) {
      throw new IllegalArgumentException(
          "sparsePageBytes must be >= 4096 but is " + sparsePageBytes);
    }
    if (budgetBytes < 1) {
      throw new IllegalArgumentException("budgetBytes must be >= 1 but is " + budgetBytes);
    }
    if (deviceBytes < 0) {
      throw new IllegalArgumentException("deviceBytes must be >= 0 but is " + deviceBytes);
    }
  }
}
