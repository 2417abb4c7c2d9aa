package dev.espalier.runtime.transport;

import dev.espalier.api.model.HostPort;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.transport.FrameCodec;
import dev.espalier.ps.transport.ShardRoute;
import dev.espalier.runtime.transport.ShardExchange.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The way to another worker's shard by gRPC, which works wherever the workers' control port does.
///
/// One stream keeps the order of the sending thread; a broken stream is a lost link.
final class GrpcRoute implements ShardRoute, StreamObserver<Message> {
  private static final long PORT_SECONDS = 20;

  private final int worker;
  private final int maxFrameBytes;
  private final ManagedChannel channel;
  private final Channel authorised;
  private final Map<Long, CompletableFuture<ShardReply>> open = new ConcurrentHashMap<>();
  private long lastNumber;
  private @Nullable StreamObserver<Message> questions;
  private volatile @Nullable PsException broken;

  /// @param worker whose shard it is
  /// @param address host:port of its gRPC port
  /// @param secret of the job
  GrpcRoute(int worker, HostPort address, String secret) {
    this(worker, address, secret, ShardExchange.MAX_FRAME_BYTES);
  }

  /// @param maxFrameBytes a command that is larger is refused
  GrpcRoute(int worker, HostPort address, String secret, int maxFrameBytes) {
    this.worker = worker;
    this.maxFrameBytes = maxFrameBytes;
    this.channel =
        NettyChannelBuilder.forAddress(address.host(), address.port())
            .usePlaintext()
            .directExecutor()
            .maxInboundMessageSize(ShardExchange.MAX_MESSAGE_BYTES)
            .flowControlWindow(ShardExchange.FLOW_WINDOW_BYTES)
            .keepAliveTime(10, TimeUnit.SECONDS)
            .build();
    var headers = new Metadata();
    headers.put(ShardExchange.SECRET, secret);
    this.authorised =
        ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  /// Asks for the port of the shard's [dev.espalier.ps.link.LinkServer].
  ///
  /// @throws io.grpc.StatusRuntimeException when there is none, or nobody to ask
  int linkPort() {
    Message answer =
        ClientCalls.blockingUnaryCall(
            authorised,
            ShardExchange.LINK_PORT,
            CallOptions.DEFAULT
                .withDeadlineAfter(PORT_SECONDS, TimeUnit.SECONDS)
                .withWaitForReady(),
            new Message(0, ByteBuffer.allocate(0)));
    return Math.toIntExact(answer.number());
  }

  // Encodes under the lock, so that numbers, frames and the stream have one order.
  @Override
  public synchronized CompletableFuture<ShardReply> send(ShardCommand command) {
    PsException failure = broken;
    if (failure != null) {
      return CompletableFuture.failedFuture(failure);
    }
    ByteBuffer frame = FrameCodec.encode(command, maxFrameBytes);
    if (command instanceof ShardCommand.Push push) {
      // The frame has a copy of its values.
      push.batches().forEach(RowBatch::release);
    }
    var reply = new CompletableFuture<ShardReply>();
    long number = ++lastNumber;
    open.put(number, reply);
    try {
      questions().onNext(new Message(number, frame));
    } catch (IllegalStateException closed) {
      fail(String.valueOf(closed.getMessage()));
    }
    return reply;
  }

  private synchronized StreamObserver<Message> questions() {
    if (questions == null) {
      questions =
          ClientCalls.asyncBidiStreamingCall(
              authorised.newCall(ShardExchange.EXCHANGE, CallOptions.DEFAULT), this);
    }
    return questions;
  }

  @Override
  public void onNext(Message answer) {
    CompletableFuture<ShardReply> reply = open.remove(answer.number());
    if (reply != null) {
      try {
        reply.complete(FrameCodec.decodeReply(answer.frame()));
      } catch (RuntimeException | OutOfMemoryError e) {
        reply.completeExceptionally(PsException.of(e));
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
    List<CompletableFuture<ShardReply>> unanswered;
    // Together with `send`, so that no question comes in between and waits for ever.
    synchronized (this) {
      broken = failure;
      unanswered = List.copyOf(open.values());
      open.clear();
    }
    unanswered.forEach(reply -> reply.completeExceptionally(failure));
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }

  @Override
  public String toString() {
    return "gRPC to " + channel.authority();
  }
}
