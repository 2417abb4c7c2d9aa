package dev.espalier.ps.transport;

import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowTarget;
import java.util.concurrent.CompletableFuture;

/// The way to one shard; keeps the promises of [Transport] for it.
public interface ShardRoute extends AutoCloseable {

  /// Sends a command; see [Transport#send].
  CompletableFuture<ShardReply> send(ShardCommand command);

  /// Sends a read; see [Transport#read].
  default CompletableFuture<ShardReply> read(ShardCommand.Read read, RowTarget target) {
    return send(read)
        .thenApply(reply -> {
          if (reply instanceof ShardReply.Rows(float[] values)) {
            target.put(values);
            return new ShardReply.Delivered(read.rows().count());
          }
          return reply;
        });
  }

  /// Gives the way up; what is unanswered fails.
  @Override
  default void close() {}
}
