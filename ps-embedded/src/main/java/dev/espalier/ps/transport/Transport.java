package dev.espalier.ps.transport;

import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowTarget;
import java.util.concurrent.CompletableFuture;

/// Carries commands to the shards, one of which each worker process holds.
///
/// An implementation delivers the commands of one sending thread to one shard in the order in which
/// they were sent, and does not wait for an answer before it takes the next command: an answer may
/// depend on a later command.
public interface Transport {

  /// Sends a command.
  ///
  /// @param shard index of the shard
  /// @param command what to do; its arrays must not be changed afterwards
  /// @return the answer; completes exceptionally, best with a [dev.espalier.ps.fault.PsException]
  ///   `LINK_LOST`, only when the shard cannot be reached
  CompletableFuture<ShardReply> send(int shard, ShardCommand command);

  /// Sends a read whose rows go straight to where they are wanted.
  ///
  /// @param shard index of the shard
  /// @param read which rows
  /// @param target where they go; others write there until the answer comes
  /// @return the answer, [ShardReply.Delivered] for success; completes like that of [#send]
  default CompletableFuture<ShardReply> read(int shard, ShardCommand.Read read, RowTarget target) {
    return send(shard, read)
        .thenApply(reply -> {
          if (reply instanceof ShardReply.Rows(float[] values)) {
            target.put(values);
            return new ShardReply.Delivered(read.rows().count());
          }
          return reply;
        });
  }
}
