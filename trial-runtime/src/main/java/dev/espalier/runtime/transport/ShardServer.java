package dev.espalier.runtime.transport;

import dev.espalier.ps.transport.ShardEndpoint;
import dev.espalier.runtime.transport.ShardExchange.Message;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// The port at which other workers reach this worker's shard.
///
/// It opens before the shard exists, for the tuner must be told the address first; frames that come
/// early wait for it.
public final class ShardServer implements AutoCloseable {
  private final CompletableFuture<ShardEndpoint> endpoint = new CompletableFuture<>();
  private final Server server;
  private final String address;

  private ShardServer(String address, String secret) throws IOException {
    this.address = address;
    ServerServiceDefinition service =
        ServerServiceDefinition.builder(ShardExchange.SERVICE)
            .addMethod(ShardExchange.METHOD, ServerCalls.asyncBidiStreamingCall(this::exchange))
            .build();
    this.server =
        NettyServerBuilder.forAddress(new InetSocketAddress(address, 0))
            .directExecutor()
            .maxInboundMessageSize(ShardExchange.MAX_MESSAGE_BYTES)
            .flowControlWindow(ShardExchange.FLOW_WINDOW_BYTES)
            .permitKeepAliveTime(2, TimeUnit.SECONDS)
            .intercept(new SecretCheck(secret))
            .addService(service)
            .build()
            .start();
  }

  /// Opens a free port.
  ///
  /// @param address of the interface to listen on
  /// @param secret that callers must show
  public static ShardServer open(String address, String secret) throws IOException {
    return new ShardServer(address, secret);
  }

  /// Lets frames through to the shard.
  public void serve(ShardEndpoint shard) {
    endpoint.complete(shard);
  }

  /// {@return host:port}
  public String address() {
    return address + ":" + server.getPort();
  }

  private StreamObserver<Message> exchange(StreamObserver<Message> out) {
    return new StreamObserver<>() {
      @Override
      public void onNext(Message question) {
        // Frames of one stream are handed over in their order: the first wait is for the shard to
        // exist, and after that the future is complete and runs here and now.
        var _ =
            endpoint
                .thenCompose(shard -> shard.handle(question.frame()))
                .thenAccept(answer -> reply(question.number(), answer));
      }

      private void reply(long number, java.nio.ByteBuffer answer) {
        synchronized (out) {
          try {
            out.onNext(new Message(number, answer));
          } catch (IllegalStateException | io.grpc.StatusRuntimeException gone) {
            // The asker is gone; its worker is, too, and nobody waits for this answer.
          }
        }
      }

      @Override
      public void onError(Throwable failure) {
        // The asker is gone; the tuner hears of it from the asker's own link.
      }

      @Override
      public void onCompleted() {
        synchronized (out) {
          out.onCompleted();
        }
      }
    };
  }

  @Override
  public void close() {
    server.shutdownNow();
  }

  private static final class SecretCheck implements ServerInterceptor {
    private final byte[] secret;

    private SecretCheck(String secret) {
      this.secret = secret.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      String shown = headers.get(ShardExchange.SECRET);
      if (shown != null && MessageDigest.isEqual(shown.getBytes(StandardCharsets.UTF_8), secret)) {
        return next.startCall(call, headers);
      }
      call.close(
          Status.UNAUTHENTICATED.withDescription("the job's worker secret is needed"),
          new Metadata());
      return new ServerCall.Listener<>() {};
    }
  }
}
