package dev.espalier.runtime.transport;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.transport.FrameCodec;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.transport.ShardExchange.Message;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Commands to the shards of all workers: straight to this worker's own, by gRPC to the others'.
///
/// One stream per shard keeps the order of the sending thread.
public final class GrpcTransport implements Transport, AutoCloseable {
  private final int self;
  private final Function<ShardCommand, CompletableFuture<ShardReply>> own;
  private final List<@Nullable Peer> peers = new ArrayList<>();

  /// @param self this worker's number
  /// @param own hands a command to this worker's shard
  /// @param addresses host:port of every shard, by worker
  public GrpcTransport(
      int self,
      Function<ShardCommand, CompletableFuture<ShardReply>> own,
      List<String> addresses,
      String secret) {
    this.self = self;
    this.own = own;
    for (int worker = 0; worker < addresses.size(); worker++) {
      peers.add(worker == self ? null : new Peer(worker, addresses.get(worker), secret));
    }
  }

  @Override
  public CompletableFuture<ShardReply> send(int shard, ShardCommand command) {
    Peer peer = peers.get(shard);
    return peer == null ? own.apply(command) : peer.ask(command);
  }

  @Override
  public void close() {
    for (Peer peer : peers) {
      if (peer != null) {
        peer.close();
      }
    }
  }

  @Override
  public String toString() {
    return "transport of worker " + self + " to " + peers.size() + " shards";
  }

  private static final class Peer implements StreamObserver<Message> {
    private final int worker;
    private final ManagedChannel channel;
    private final StreamObserver<Message> questions;
    private final Map<Long, CompletableFuture<ShardReply>> open = new ConcurrentHashMap<>();
    private long lastNumber;
    private volatile @Nullable PsException broken;

    private Peer(int worker, String address, String secret) {
      this.worker = worker;
      this.channel =
          NettyChannelBuilder.forTarget("dns:///" + address)
              .usePlaintext()
              .directExecutor()
              .maxInboundMessageSize(ShardExchange.MAX_MESSAGE_BYTES)
              .flowControlWindow(ShardExchange.FLOW_WINDOW_BYTES)
              .keepAliveTime(10, TimeUnit.SECONDS)
              .build();
      var headers = new Metadata();
      headers.put(ShardExchange.SECRET, secret);
      this.questions =
          ClientCalls.asyncBidiStreamingCall(
              io.grpc.ClientInterceptors.intercept(
                      channel, MetadataUtils.newAttachHeadersInterceptor(headers))
                  .newCall(ShardExchange.METHOD, io.grpc.CallOptions.DEFAULT),
              this);
    }

    /// Encodes under the lock, so that numbers, frames and the stream have one order.
    synchronized CompletableFuture<ShardReply> ask(ShardCommand command) {
      PsException failure = broken;
      if (failure != null) {
        return CompletableFuture.failedFuture(failure);
      }
      var reply = new CompletableFuture<ShardReply>();
      long number = ++lastNumber;
      open.put(number, reply);
      try {
        questions.onNext(new Message(number, FrameCodec.encode(command)));
      } catch (IllegalStateException closed) {
        fail(String.valueOf(closed.getMessage()));
      }
      return reply;
    }

    @Override
    public void onNext(Message answer) {
      CompletableFuture<ShardReply> reply = open.remove(answer.number());
      if (reply != null) {
        try {
          reply.complete(FrameCodec.decodeReply(answer.frame()));
        } catch (PsException malformed) {
          reply.completeExceptionally(malformed);
        }
      }
    }

    @Override
    public void onError(Throwable failure) {
      fail(String.valueOf(Status.fromThrowable(failure)));
    }

    @Override
    public void onCompleted() {
      fail("closed by the other side");
    }

    private void fail(String reason) {
      var failure =
          new PsException(
              PsFault.LINK_LOST, "the shard of worker " + worker + " cannot be reached: " + reason);
      broken = failure;
      open.values().forEach(reply -> reply.completeExceptionally(failure));
      open.clear();
    }

    void close() {
      channel.shutdownNow();
    }
  }
}
