package dev.espalier.tuner.grpc;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptors;
import io.grpc.TlsServerCredentials;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.util.AdvancedTlsX509KeyManager;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/// The port that workers connect to; two where what comes from other machines is encrypted, so that
/// workers of this one depend on no certificate.
public final class WorkerServer implements AutoCloseable {
  private static final int MAX_MESSAGE_BYTES = 4 << 20;

  /// A worker has one.
  private static final int MAX_STREAMS_PER_CONNECTION = 8;

  private static final int IDLE_SECONDS = 30;
  private static final int LOOK_FOR_NEW_KEYS_SECONDS = 60;

  private final Server server;
  private final List<Runnable> others;

  private WorkerServer(Server server, List<Runnable> others) {
    this.server = server;
    this.others = others;
  }

  /// A port with TLS. Both files are read anew when they change.
  ///
  /// @param certificate PEM file of a chain
  /// @param key PEM file of its key, PKCS#8
  public record Encrypted(String address, int port, Path certificate, Path key) {}

  /// Binds and serves.
  ///
  /// @throws EspalierException `PORT_IN_USE`, naming the port
  public static WorkerServer start(String address, int port, WorkerSessionEndpoint endpoint) {
    return new WorkerServer(
        serve(address, port, InsecureServerCredentials.create(), endpoint), List.of());
  }

  /// Binds and serves an encrypted port for other machines and a plain one for this.
  ///
  /// @param localAddress of this machine alone
  /// @throws EspalierException `PORT_IN_USE`, naming the port, or `INVALID_REQUEST` when
  ///   certificate and key cannot be used
  public static WorkerServer start(
      Encrypted outside, String localAddress, int localPort, WorkerSessionEndpoint endpoint) {
    var others = new ArrayList<Runnable>();
    try {
      ScheduledExecutorService timer =
          Executors.newSingleThreadScheduledExecutor(
              Thread.ofPlatform().daemon().name("worker-certificate").factory());
      others.add(timer::shutdownNow);
      Server encrypted =
          serve(outside.address(), outside.port(), credentials(outside, timer), endpoint);
      others.add(() -> end(encrypted));
      return new WorkerServer(
          serve(localAddress, localPort, InsecureServerCredentials.create(), endpoint), others);
    } catch (RuntimeException failure) {
      close(others);
      throw failure;
    }
  }

  private static ServerCredentials credentials(Encrypted outside, ScheduledExecutorService timer) {
    var keys = new AdvancedTlsX509KeyManager();
    try {
      var _ =
          keys.updateIdentityCredentials(
              outside.certificate().toFile(),
              outside.key().toFile(),
              LOOK_FOR_NEW_KEYS_SECONDS,
              TimeUnit.SECONDS,
              timer);
    } catch (IOException | GeneralSecurityException failure) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST,
          "certificate "
              + outside.certificate()
              + " and key "
              + outside.key()
              + " cannot be used for workers: "
              + failure.getMessage()
              + "; the key must be in PKCS#8, as openssl pkcs8 -topk8 -nocrypt writes it",
          failure);
    }
    return TlsServerCredentials.newBuilder().keyManager(keys).build();
  }

  private static Server serve(
      String address, int port, ServerCredentials credentials, WorkerSessionEndpoint endpoint) {
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress(address, port), credentials)
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
      return server.start();
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

  /// {@return the port for workers of this machine}
  public int port() {
    return server.getPort();
  }

  @Override
  public void close() {
    end(server);
    close(others);
  }

  private static void close(List<Runnable> all) {
    all.reversed().forEach(Runnable::run);
  }

  private static void end(Server server) {
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
