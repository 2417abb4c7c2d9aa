package dev.espalier.tuner.grpc;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

/// The port that workers connect to.
public final class WorkerServer implements AutoCloseable {
  private static final int MAX_MESSAGE_BYTES = 4 << 20;

  /// A worker has one.
  private static final int MAX_STREAMS_PER_CONNECTION = 8;

  private static final int IDLE_SECONDS = 30;

  private final Server server;

  private WorkerServer(Server server) {
    this.server = server;
  }

  /// Binds and serves.
  ///
  /// @throws EspalierException `PORT_IN_USE`, naming the port
  public static WorkerServer start(String address, int port, WorkerSessionEndpoint endpoint) {
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress(address, port))
            .directExecutor()
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .maxConcurrentCallsPerConnection(MAX_STREAMS_PER_CONNECTION)
            .maxConnectionIdle(IDLE_SECONDS, TimeUnit.SECONDS)
            .keepAliveTime(10, TimeUnit.SECONDS)
            .keepAliveTimeout(10, TimeUnit.SECONDS)
            .permitKeepAliveTime(2, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .addService(
                ServerInterceptors.intercept(
                    endpoint, new WorkerSessionEndpoint.SecretInterceptor()))
            .build();
    try {
      return new WorkerServer(server.start());
    } catch (IOException failure) {
      throw new EspalierException(
          ErrorCode.PORT_IN_USE,
          "the worker port "
              + address
              + ":"
              + port
              + " cannot be opened: is another server running? Choose one with --grpc-port",
          failure);
    }
  }

  public int port() {
    return server.getPort();
  }

  @Override
  public void close() {
    server.shutdown();
    try {
      if (!server.awaitTermination(2, TimeUnit.SECONDS)) {
        server.shutdownNow();
      }
    } catch (InterruptedException _) {
      server.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
