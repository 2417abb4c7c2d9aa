package dev.espalier.ps.shard;

import java.util.concurrent.CompletableFuture;

/// A command and the answer that is still owed for it.
record PendingReply(ShardCommand command, CompletableFuture<ShardReply> reply) {}
