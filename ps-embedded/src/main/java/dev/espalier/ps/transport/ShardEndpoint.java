package dev.espalier.ps.transport;

import dev.espalier.ps.shard.Shard;
import dev.espalier.ps.shard.ShardReply;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/// The bytes' door to a shard: a command frame in, a reply frame out.
///
/// A carrier must hand over the frames of one worker in the order in which they were sent, without
/// waiting for answers. Thread-safe.
public final class ShardEndpoint {
  private final Shard shard;
  private final int maxFrameBytes;

  /// Creates the door of a shard.
  public ShardEndpoint(Shard shard) {
    this(shard, Integer.MAX_VALUE);
  }

  /// Creates the door of a shard.
  ///
  /// @param maxFrameBytes what a carrier can take; a reply that is larger becomes a failure
  public ShardEndpoint(Shard shard, int maxFrameBytes) {
    this.shard = shard;
    this.maxFrameBytes = maxFrameBytes;
  }

  /// Executes a command frame; the frame may be reused once this returns.
  ///
  /// @param frame from [FrameCodec#encode(dev.espalier.ps.shard.ShardCommand)]; read from its
  ///   position to its limit
  /// @return a frame for [FrameCodec#decodeReply]; never completes exceptionally
  public CompletableFuture<ByteBuffer> handle(ByteBuffer frame) {
    CompletableFuture<ShardReply> reply;
    try {
      reply = shard.submit(FrameCodec.decodeCommand(frame));
    } catch (RuntimeException | OutOfMemoryError e) {
      reply = CompletableFuture.completedFuture(ShardReply.Failed.of(e));
    }
    return reply.thenApply(this::encode);
  }

  private ByteBuffer encode(ShardReply reply) {
    try {
      return FrameCodec.encode(reply, maxFrameBytes);
    } catch (RuntimeException | OutOfMemoryError e) {
      return FrameCodec.encode(ShardReply.Failed.of(e));
    }
  }
}
