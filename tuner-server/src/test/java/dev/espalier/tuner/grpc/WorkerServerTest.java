package dev.espalier.tuner.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.espalier.api.model.HostPort;
import dev.espalier.api.wire.v1.TunerMessage;
import dev.espalier.api.wire.v1.WorkerServiceGrpc;
import dev.espalier.runtime.link.TunerChannel;
import dev.espalier.tuner.boot.TestCertificate;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkerServerTest {
  @TempDir private Path folder;

  @Test
  void workersOfOtherMachinesAreEncryptedAndThoseOfThisOneAreNot() throws Exception {
    TestCertificate own = TestCertificate.ofLoopback(folder);
    TestCertificate otherName = TestCertificate.of(folder, "other", "dns:other.example");
    int port = freePort();
    try (WorkerServer server =
        WorkerServer.start(
            new WorkerServer.Encrypted("127.0.0.1", port, own.certificate(), own.key()),
            "127.0.0.1",
            0,
            new WorkerSessionEndpoint(new GrpcWorkerGateway(), "token"::equals))) {
      // Who comes without a secret is turned away, by whoever understands him.
      assertThat(answer("https://localhost:" + port, own).getCode())
          .isEqualTo(Status.Code.UNAUTHENTICATED);
      assertThat(answer("127.0.0.1:" + server.port(), own).getCode())
          .isEqualTo(Status.Code.UNAUTHENTICATED);
      assertThat(refusal("https://localhost:" + port, otherName))
          .contains("signed by nobody who is trusted here", "ESPALIER_CA");
      assertThat(refusal("localhost:" + port, own)).contains("is named with https://");
      assertThat(refusal("https://localhost:" + server.port(), own))
          .isEqualTo("it does not encrypt; name it without https://");
    }
    try (WorkerServer server =
        WorkerServer.start(
            new WorkerServer.Encrypted("127.0.0.1", port, otherName.certificate(), otherName.key()),
            "127.0.0.1",
            0,
            new WorkerSessionEndpoint(new GrpcWorkerGateway(), "token"::equals))) {
      assertThat(server.port()).isPositive();
      assertThat(refusal("https://localhost:" + port, otherName))
          .as("a certificate for another name")
          .startsWith("UNAVAILABLE")
          .contains("name matching localhost found");
    }
  }

  @Test
  void workersComeByAnAddressOfIpv6() throws Exception {
    assumeTrue(hasIpv6(), "no ::1 here");
    try (WorkerServer server =
        WorkerServer.start(
            "::1", 0, new WorkerSessionEndpoint(new GrpcWorkerGateway(), "token"::equals))) {
      String address = new HostPort("::1", server.port()).toString();
      assertThat(answer(address, TestCertificate.ofLoopback(folder)).getCode())
          .isEqualTo(Status.Code.UNAUTHENTICATED);
    }
  }

  private static boolean hasIpv6() {
    try (var _ = new ServerSocket(0, 1, InetAddress.ofLiteral("::1"))) {
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  private static int freePort() throws Exception {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static String refusal(String address, TestCertificate trusted) throws Exception {
    return TunerChannel.refusal(address, answer(address, trusted));
  }

  private static Status answer(String address, TestCertificate trusted) throws Exception {
    ManagedChannel channel = TunerChannel.open(address, Optional.of(trusted.certificate()));
    var ended = new CompletableFuture<Status>();
    try {
      var _ =
          WorkerServiceGrpc.newStub(channel)
              .session(
                  new StreamObserver<TunerMessage>() {
                    @Override
                    public void onNext(TunerMessage message) {}

                    @Override
                    public void onError(Throwable failure) {
                      ended.complete(Status.fromThrowable(failure));
                    }

                    @Override
                    public void onCompleted() {
                      ended.complete(Status.OK);
                    }
                  });
      return ended.get(20, TimeUnit.SECONDS);
    } finally {
      channel.shutdownNow();
    }
  }
}
