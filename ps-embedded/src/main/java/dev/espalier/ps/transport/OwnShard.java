package dev.espalier.ps.transport;

import dev.espalier.ps.shard.Shard;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.table.RowValues;
import java.util.concurrent.CompletableFuture;

/// The way to the shard of the same process: the sender executes its commands itself.
///
/// @param shard the shard
public record OwnShard(Shard shard) implements ShardRoute {
  @Override
  public CompletableFuture<ShardReply> send(ShardCommand command) {
    return shard.submit(command instanceof ShardCommand.Push push ? withoutFactors(push) : command);
  }

  /// The shard adds others to what it is given, row by row.
  private static ShardCommand withoutFactors(ShardCommand.Push push) {
    return push.batches().stream().allMatch(OwnShard::canBeTaken)
        ? push
        : new ShardCommand.Push(
            push.branch(),
            push.worker(),
            push.clock(),
            push.staleness(),
            push.stepSize(),
            push.samples(),
            push.batches().stream()
                .map(batch -> canBeTaken(batch) ? batch : batch.inArray())
                .toList());
  }

  private static boolean canBeTaken(RowBatch batch) {
    return switch (batch.content()) {
      case RowValues.Own _, RowValues.Slice _, RowValues.InShard _ -> true;
      case RowValues.Products _ -> false;
    };
  }

  @Override
  public CompletableFuture<ShardReply> read(ShardCommand.Read read, RowTarget target) {
    return shard.submit(read, target);
  }

  /// Whoever waits for the shard would wait for ever, where the ways of others have ended.
  @Override
  public void close() {
    shard.abandon();
  }

  @Override
  public String toString() {
    return "own";
  }
}
