package dev.espalier.ps.transport;

import dev.espalier.ps.shard.Shard;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowTarget;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// Carries commands to the shards, one of which each worker process holds.
///
/// The commands of one sending thread to one shard are delivered in the order in which they were
/// sent, without waiting for an answer before the next: an answer may depend on a later command.
/// Thread-safe.
public final class Transport implements AutoCloseable {
  private final List<ShardRoute> routes;

  /// Creates a transport.
  ///
  /// @param routes to each shard, by index
  public Transport(List<? extends ShardRoute> routes) {
    this.routes = List.copyOf(routes);
  }

  /// A transport to shards in the same process: the sender executes its commands itself.
  ///
  /// @param shards by index
  public static Transport inProcess(List<Shard> shards) {
    return new Transport(shards.stream().map(OwnShard::new).toList());
  }

  /// Sends a command.
  ///
  /// @param shard index of the shard
  /// @param command what to do; its arrays must not be changed afterwards
  /// @return the answer; completes exceptionally, best with a [dev.espalier.ps.fault.PsException]
  ///   `LINK_LOST`, only when the shard cannot be reached
  public CompletableFuture<ShardReply> send(int shard, ShardCommand command) {
    return routes.get(shard).send(command);
  }

  /// Sends a read whose rows go straight to where they are wanted.
  ///
  /// @param shard index of the shard
  /// @param read which rows
  /// @param target where they go; others write there until the answer comes
  /// @return the answer, [ShardReply.Delivered] for success; completes like that of [#send]
  public CompletableFuture<ShardReply> read(int shard, ShardCommand.Read read, RowTarget target) {
    return routes.get(shard).read(read, target);
  }

  /// Gives all ways up; what is unanswered fails.
  @Override
  public void close() {
    routes.forEach(ShardRoute::close);
  }

  @Override
  public String toString() {
    return routes.toString();
  }
}
