package dev.espalier.ps.shard;

import java.util.concurrent.CompletableFuture;

/// A command, the answer that is still owed for it, and who takes the rows if it is a read.
record PendingReply(ShardCommand command, CompletableFuture<ShardReply> reply, RowCollector rows) {}
