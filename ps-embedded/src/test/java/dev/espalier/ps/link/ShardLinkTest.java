package dev.espalier.ps.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.Cluster;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.ParameterServerContract;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.shard.Arrivals;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.OwnShard;
import dev.espalier.ps.transport.Transport;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import jdk.net.ExtendedSocketOptions;
import org.junit.jupiter.api.Test;

/// All that the parameter server promises, through sockets.
class ShardLinkTest extends ParameterServerContract {
  private static final int GREETING = 37;

  @Override
  protected Cluster.Network join(List<ParameterServer> servers) {
    return new Links(servers, Medium.SOCKET, port -> port);
  }

  private static ParameterServer server() {
    return ParameterServer.open(
        ParameterServerConfig.of(1, 0, 1 << 20), List.of(TableSpec.dense("w", 4, 4, "sgd")));
  }

  @Test
  void anotherTokenIsTurnedAway() throws Exception {
    try (LinkServer port = LinkServer.open("127.0.0.1", "the token")) {
      assertThatThrownBy(() ->
              ShardLink.open(
                  0, "127.0.0.1", port.port(), "another", Medium.SOCKET, false, new Arrivals()))
          .isInstanceOf(Handshake.DeniedException.class)
          .hasMessageContaining("token");
    }
  }

  @Test
  void whoShowsNothingIsPutOut() throws Exception {
    try (LinkServer port = LinkServer.open("127.0.0.1", "the token");
        Socket stranger = new Socket("127.0.0.1", port.port())) {
      stranger.setSoTimeout(20_000);
      stranger.getOutputStream().write(new byte[40]);
      int bytes = stranger.getInputStream().readAllBytes().length;
      assertThat(bytes).as("bytes told to a stranger: greeting and challenge").isEqualTo(GREETING);
    }
  }

  @Test
  void aStrangerThatTalksOnDoesNoHarm() throws Exception {
    try (ParameterServer server = server();
        LinkServer port = LinkServer.open("127.0.0.1", "the token")) {
      port.serve(server.shard());
      try (SocketChannel stranger =
          SocketChannel.open(new InetSocketAddress("127.0.0.1", port.port()))) {
        stranger.write(ByteBuffer.allocate(4096));
        assertThatThrownBy(
                () -> {
                  ByteBuffer answer = ByteBuffer.allocate(64);
                  while (stranger.read(answer.clear()) >= 0) {
                    assertThat(answer.position()).isLessThanOrEqualTo(GREETING + 1);
                  }
                  throw new IOException("closed");
                })
            .isInstanceOf(IOException.class);
      }
      try (ShardLink link =
          ShardLink.open(
              0, "127.0.0.1", port.port(), "the token", Medium.SOCKET, false, new Arrivals())) {
        assertThat(link.send(new ShardCommand.Explain(0)).join()).isNotNull();
      }
    }
  }

  @Test
  void aWireThatAnotherOneReplacedIsNotWrittenTo() throws Exception {
    try (ParameterServer server = server();
        LinkServer port = LinkServer.open("127.0.0.1", "the token")) {
      port.serve(server.shard());
      try (ShardLink link =
          ShardLink.open(
              0, "127.0.0.1", port.port(), "the token", Medium.SOCKET, false, new Arrivals())) {
        // As after two cuts in a row, when the first one's turn to send comes last.
        link.sendAgain(new DeadWire());
        assertThat(link.send(new ShardCommand.Explain(0)).get(30, TimeUnit.SECONDS)).isNotNull();
      }
    }
  }

  @Test
  void whoWaitsForAShardThatNeverComesHearsOfTheEnd() throws Exception {
    LinkServer port = LinkServer.open("127.0.0.1", "the token");
    try (ShardLink link =
        ShardLink.open(
            0, "127.0.0.1", port.port(), "the token", Medium.SOCKET, false, new Arrivals())) {
      var waiting = link.send(new ShardCommand.Explain(0));
      port.close();
      assertThatThrownBy(() -> waiting.get(20, TimeUnit.SECONDS))
          .cause()
          .isInstanceOfSatisfying(
              PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.LINK_LOST));
    }
  }

  @Test
  void aReplyThatDoesNotFitHarmsNoOther() throws Exception {
    try (ParameterServer server = server();
        LinkServer port = LinkServer.open("127.0.0.1", "the token")) {
      port.serve(server.shard());
      try (ShardLink link =
          ShardLink.open(
              0, "127.0.0.1", port.port(), "the token", Medium.SOCKET, false, new Arrivals())) {
        link.send(new ShardCommand.Create(new BranchRef(0), 0)).get(20, TimeUnit.SECONDS);
        var read =
            new ShardCommand.Read(
                new BranchRef(0),
                0,
                0,
                Staleness.bulkSynchronous(),
                0,
                new RowSelection.Range(0, 4));
        var waiting = link.read(read, new RowTarget(new float[8], 0, 4, null));
        assertThatThrownBy(() -> waiting.get(20, TimeUnit.SECONDS))
            .hasCauseInstanceOf(PsException.class);
        float[] values = new float[16];
        assertThat(link.read(read, new RowTarget(values, 0, 4, null)).get(20, TimeUnit.SECONDS))
            .isEqualTo(new ShardReply.Delivered(4));
      }
    }
  }

  /// Lets everybody in, and cuts every connection at once.
  private static final class Revolver implements AutoCloseable {
    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final AtomicInteger connections = new AtomicInteger();

    Revolver() throws IOException {
      Thread.ofPlatform().daemon().start(this::accept);
    }

    private void accept() {
      while (!listener.isClosed()) {
        try (Socket socket = listener.accept()) {
          new Handshake("the token")
              .receive(
                  new DataInputStream(socket.getInputStream()),
                  new DataOutputStream(socket.getOutputStream()),
                  _ -> new Handshake.Answer(true, 0, false, Handshake.Pages.NONE));
          connections.incrementAndGet();
        } catch (IOException _) {
          // The next one comes.
        }
      }
    }

    @Override
    public void close() throws IOException {
      listener.close();
    }
  }

  @Test
  void aShardThatCutsEveryConnectionIsNotTriedWithoutPauseOrForEver() throws Exception {
    try (var revolver = new Revolver();
        ShardLink link =
            ShardLink.open(
                0,
                "127.0.0.1",
                revolver.listener.getLocalPort(),
                "the token",
                Medium.SOCKET,
                false,
                Duration.ofMillis(500),
                new Arrivals())) {
      assertThatThrownBy(() -> link.send(new ShardCommand.Explain(0)).get(20, TimeUnit.SECONDS))
          .cause()
          .isInstanceOfSatisfying(
              PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.LINK_LOST));
      assertThat(revolver.connections).hasValueLessThan(12);
    }
  }

  @Test
  void aMachineThatIsGoneIsAskedFor() throws Exception {
    try (SocketChannel channel = SocketChannel.open()) {
      LinkOptions.set(channel);
      assertThat(channel.getOption(StandardSocketOptions.SO_KEEPALIVE)).isTrue();
      if (channel.supportedOptions().contains(ExtendedSocketOptions.TCP_KEEPIDLE)) {
        assertThat(channel.getOption(ExtendedSocketOptions.TCP_KEEPIDLE)).isEqualTo(10);
        assertThat(channel.getOption(ExtendedSocketOptions.TCP_KEEPINTERVAL)).isEqualTo(5);
        assertThat(channel.getOption(ExtendedSocketOptions.TCP_KEEPCOUNT)).isEqualTo(3);
      }
    }
  }

  @Test
  void aShardThatIsAbandonedAnswersWhoWaits() {
    ParameterServer server =
        ParameterServer.open(
            ParameterServerConfig.of(2, 0, 1 << 20), List.of(TableSpec.dense("w", 4, 4, "sgd")));
    try (server) {
      Transport way = new Transport(List.of(new OwnShard(server.shard())));
      var waiting = way.send(0, new ShardCommand.Create(new BranchRef(0), 0));
      assertThat(waiting).isNotDone();
      way.close();
      for (var reply : List.of(waiting, way.send(0, new ShardCommand.Explain(0)))) {
        assertThat(reply.getNow(null))
            .isInstanceOfSatisfying(
                ShardReply.Failed.class,
                failed -> assertThat(failed.fault()).isEqualTo(PsFault.LINK_LOST));
      }
    }
  }

  @Test
  void aShardThatIsGoneIsALostLinkAndStaysOne() throws Exception {
    ParameterServer server = server();
    LinkServer port = LinkServer.open("127.0.0.1", "the token");
    port.serve(server.shard());
    try (ShardLink link =
        ShardLink.open(
            3,
            "127.0.0.1",
            port.port(),
            "the token",
            Medium.SOCKET,
            false,
            Duration.ofSeconds(20),
            new Arrivals())) {
      link.send(new ShardCommand.Create(new BranchRef(0), 0)).join();
      var waiting = link.send(new ShardCommand.Barrier("never", 0));
      assertThat(waiting.join()).isNotNull();
      port.close();
      server.close();
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> link.send(new ShardCommand.Explain(0)).join())
            .isInstanceOf(CompletionException.class)
            .cause()
            .isInstanceOfSatisfying(
                PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.LINK_LOST))
            .hasMessageContaining("worker 3 cannot be reached");
      }
    }
  }
}
