package dev.espalier.runtime.transport;

import dev.espalier.api.model.HostPort;
import dev.espalier.ps.link.LinkServer;
import dev.espalier.ps.shard.Shard;
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
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// The ports at which other workers reach this worker's shard: one for gRPC, whose address the
/// tuner hands out, and one for sockets, which is asked for there.
///
/// They open before the shard exists, for the tuner must be told the address first; frames that
/// come early wait for it.
public final class ShardServer implements AutoCloseable {
  private final CompletableFuture<ShardEndpoint> endpoint = new CompletableFuture<>();
  private final Server server;
  private final LinkServer links;
  private final String address;
  private final AtomicLong received = new AtomicLong();

  private ShardServer(String address, String secret) throws IOException {
    this.address = address;
    this.links = LinkServer.open(address, secret);
    try {
      this.server =
          NettyServerBuilder.forAddress(new InetSocketAddress(address, 0))
              .directExecutor()
              .maxInboundMessageSize(ShardExchange.MAX_MESSAGE_BYTES)
              .flowControlWindow(ShardExchange.FLOW_WINDOW_BYTES)
              .permitKeepAliveTime(2, TimeUnit.SECONDS)
              .intercept(new SecretCheck(secret))
              .addService(service())
              .build()
              .start();
    } catch (IOException | RuntimeException e) {
      links.close();
      throw e;
    }
  }

  private ServerServiceDefinition service() {
    return ServerServiceDefinition.builder(ShardExchange.SERVICE)
        .addMethod(ShardExchange.EXCHANGE, ServerCalls.asyncBidiStreamingCall(this::exchange))
        .addMethod(ShardExchange.LINK_PORT, ServerCalls.asyncUnaryCall(this::tellPort))
        .build();
  }

  /// Opens a free port.
  ///
  /// @param address of the interface to listen on
  /// @param secret that callers must show
  public static ShardServer open(String address, String secret) throws IOException {
    return new ShardServer(address, secret);
  }

  /// Lets commands through to the shard.
  public void serve(Shard shard) {
    links.serve(shard);
    endpoint.complete(new ShardEndpoint(shard, ShardExchange.MAX_FRAME_BYTES));
  }

  /// {@return where it is reached}
  public HostPort address() {
    return new HostPort(address, server.getPort());
  }

  /// {@return how many commands have come, those that wait for the shard included}
  long received() {
    return received.get();
  }

  /// Once there is a shard: whoever comes before it would not be told where its pages lie.
  private void tellPort(Message question, StreamObserver<Message> out) {
    var _ =
        endpoint.thenRun(() -> {
          out.onNext(new Message(links.port(), question.frame()));
          out.onCompleted();
        });
  }

  private StreamObserver<Message> exchange(StreamObserver<Message> out) {
    return new StreamObserver<>() {
      /// The shard, when it exists and has been handed all frames so far.
      private CompletableFuture<ShardEndpoint> tail = endpoint;

      @Override
      public void onNext(Message question) {
        received.incrementAndGet();
        tail =
            tail.thenApply(shard -> {
              var _ =
                  shard
                      .handle(question.frame())
                      .thenAccept(answer -> reply(question.number(), answer));
              return shard;
            });
      }

      private void reply(long number, ByteBuffer answer) {
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

  /// Ends all connections; to be done before the shard is closed.
  @Override
  public void close() {
    links.close();
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
