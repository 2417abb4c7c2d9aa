package dev.espalier.ps.transport;

import dev.espalier.ps.shard.Shard;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowTarget;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// A [Transport] to shards in the same process: the sender executes its commands itself.
public final class LoopbackTransport implements Transport {
  private final List<Shard> shards;

  /// Creates a transport.
  ///
  /// @param shards by index
  public LoopbackTransport(List<Shard> shards) {
    this.shards = List.copyOf(shards);
  }

  @Override
  public CompletableFuture<ShardReply> send(int shard, ShardCommand command) {
    return shards.get(shard).submit(command);
  }

  @Override
  public CompletableFuture<ShardReply> read(int shard, ShardCommand.Read read, RowTarget target) {
    return shards.get(shard).submit(read, target);
  }
}
