package dev.espalier.ps.table;

/// Which shard holds which rows of a table: contiguous ranges whose sizes differ by at most one.
///
/// @param rows rows of the table, >= 1
/// @param shards number of shards, >= 1
public record Partitioner(long rows, int shards) {

  /// Checks the bounds.
  public Partitioner {
    if (rows < 1) {
      throw new IllegalArgumentException("rows must be >= 1 but is " + rows);
    }
    if (shards < 1) {
      throw new IllegalArgumentException("shards must be >= 1 but is " + shards);
    }
  }

  /// The rows of a shard; empty for some shards when there are fewer rows than shards.
  public RowRange rangeOf(int shard) {
    return new RowRange(firstOf(shard), firstOf(shard + 1));
  }

  /// The shard of a row.
  public int shardOf(long row) {
    if (row < 0 || row >= rows) {
      throw new IllegalArgumentException("row must be in [0, %d) but is %d".formatted(rows, row));
    }
    long larger = rows % shards;
    long size = rows / shards;
    long inLarger = larger * (size + 1);
    return (int) (row < inLarger ? row / (size + 1) : larger + (row - inLarger) / size);
  }

  private long firstOf(int shard) {
    return shard * (rows / shards) + Math.min(shard, rows % shards);
  }
}
