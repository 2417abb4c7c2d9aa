package dev.espalier.runtime.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.espalier.api.model.HostPort;
import dev.espalier.ps.Cluster;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.ParameterServerContract;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowValues;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.Transport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// All that the parameter server promises, through real sockets.
class GrpcRouteTest extends ParameterServerContract {
  private static final String SECRET = "a worker secret";

  @Override
  protected Cluster.Network join(List<ParameterServer> servers) {
    return new Sockets(servers);
  }

  private static final class Sockets implements Cluster.Network {
    private final List<ShardServer> ports = new ArrayList<>();
    private final List<Transport> transports = new ArrayList<>();

    private Sockets(List<ParameterServer> servers) {
      servers.forEach(server -> ports.add(open(server)));
      List<String> addresses = ports.stream().map(port -> port.address().toString()).toList();
      for (int rank = 0; rank < servers.size(); rank++) {
        transports.add(
            ShardRoutes.open(
                rank, servers.get(rank).shard(), addresses, SECRET, RouteKind.GRPC, false));
      }
    }

    private static ShardServer open(ParameterServer server) {
      try {
        ShardServer port = ShardServer.open("127.0.0.1", SECRET);
        port.serve(server.shard());
        return port;
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }

    @Override
    public Transport transport(int rank) {
      return transports.get(rank);
    }

    @Override
    public void close() {
      transports.forEach(Transport::close);
      ports.forEach(ShardServer::close);
    }
  }

  private static CompletionException failureOf(CompletableFuture<?> future) {
    try {
      future.orTimeout(20, TimeUnit.SECONDS).join();
    } catch (CompletionException failure) {
      return failure;
    }
    throw new AssertionError("no failure");
  }

  private static ShardCommand anyCommand() {
    return new ShardCommand.Create(new BranchRef(0), 0);
  }

  @Test
  void wrongSecretIsTurnedAway() throws Exception {
    try (ShardServer port = ShardServer.open("127.0.0.1", SECRET);
        var route = new GrpcRoute(1, port.address(), "another secret")) {
      assertThat(failureOf(route.send(anyCommand())))
          .hasMessageContaining("UNAUTHENTICATED")
          .cause()
          .isInstanceOfSatisfying(
              PsException.class, fault -> assertThat(fault.fault()).isEqualTo(PsFault.LINK_LOST));
    }
  }

  @Test
  void valuesAreLetGoWhenTheirFrameIsMade() throws Exception {
    try (ParameterServer server = server();
        ShardServer port = ShardServer.open("127.0.0.1", SECRET);
        var route = new GrpcRoute(1, port.address(), SECRET)) {
      port.serve(server.shard());
      route.send(anyCommand()).join();
      var timesLetGo = new AtomicInteger();
      var values = new RowValues.Slice(new float[400], 0, 400, timesLetGo::incrementAndGet);
      var push =
          new ShardCommand.Push(
              new BranchRef(0),
              0,
              0,
              Staleness.bulkSynchronous(),
              StepSize.of(0.1),
              1,
              List.of(new RowBatch(0, new RowSelection.Range(0, 4), values)));

      assertThat(route.send(push).join()).isEqualTo(new ShardReply.Acknowledged());

      assertThat(timesLetGo).hasValue(1);
    }
  }

  private static ParameterServer server() {
    return ParameterServer.open(
        ParameterServerConfig.of(1, 0, 1 << 20), List.of(TableSpec.dense("w", 4, 100, "sgd")));
  }

  @Test
  @Timeout(60)
  void commandsThatComeBeforeTheShardKeepTheirOrder() throws Exception {
    try (ParameterServer server = server();
        ShardServer port = ShardServer.open("127.0.0.1", SECRET);
        var route = new GrpcRoute(0, port.address(), SECRET)) {
      List<CompletableFuture<ShardReply>> replies = new ArrayList<>();
      replies.add(route.send(anyCommand()));
      for (int child = 1; child < 10; child++) {
        replies.add(
            route.send(new ShardCommand.Fork(new BranchRef(child), new BranchRef(child - 1), 0)));
      }
      while (port.received() < replies.size()) {
        Thread.sleep(1);
      }
      port.serve(server.shard());
      for (CompletableFuture<ShardReply> reply : replies) {
        assertThat(reply.get(20, TimeUnit.SECONDS)).isEqualTo(new ShardReply.Acknowledged());
      }
    }
  }

  @Test
  void thePortIsToldOnceThereIsAShard() throws Exception {
    try (ParameterServer server = server();
        ShardServer port = ShardServer.open("127.0.0.1", SECRET);
        var route = new GrpcRoute(0, port.address(), SECRET)) {
      CompletableFuture<Integer> told = CompletableFuture.supplyAsync(route::linkPort);
      assertThatThrownBy(() -> told.get(300, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
      port.serve(server.shard());
      assertThat(told.get(20, TimeUnit.SECONDS)).isPositive();
    }
  }

  @Test
  void waysThatCannotAllBeOpenedAreClosed() {
    try (ParameterServer server = server()) {
      assertThatThrownBy(() ->
              ShardRoutes.open(
                  0,
                  server.shard(),
                  List.of("127.0.0.1:1", "no port"),
                  SECRET,
                  RouteKind.SOCKET,
                  false))
          .isInstanceOf(RuntimeException.class);
      assertThat(server.shard().submit(new ShardCommand.Explain(0)).join())
          .isInstanceOfSatisfying(
              ShardReply.Failed.class,
              failed -> assertThat(failed.fault()).isEqualTo(PsFault.LINK_LOST));
    }
  }

  @Test
  void aCommandThatIsTooLargeIsRefusedAndTheNextOneIsNot() throws Exception {
    try (ParameterServer server = server();
        ShardServer port = ShardServer.open("127.0.0.1", SECRET);
        var route = new GrpcRoute(0, port.address(), SECRET, 1000)) {
      port.serve(server.shard());
      route.send(anyCommand()).get(20, TimeUnit.SECONDS);
      var rows = new RowBatch(0, new RowSelection.Range(0, 4), new float[400]);
      var assign = new ShardCommand.Assign(new BranchRef(0), 0, List.of(rows));
      assertThatThrownBy(() -> route.send(assign))
          .isInstanceOfSatisfying(
              PsException.class, fault -> assertThat(fault.fault()).isEqualTo(PsFault.BAD_REQUEST))
          .hasMessageContaining("at most 1000 bytes");
      assertThat(route.send(new ShardCommand.Explain(0)).get(20, TimeUnit.SECONDS))
          .isInstanceOf(ShardReply.Explanation.class);
    }
  }

  @ParameterizedTest
  @EnumSource(RouteKind.class)
  void workersMeetByAddressesOfIpv6(RouteKind kind) throws Exception {
    assumeTrue(hasIpv6(), "no ::1 here");
    try (ParameterServer server = server();
        ShardServer port = ShardServer.open("::1", SECRET)) {
      port.serve(server.shard());
      assertThat(port.address().toString()).startsWith("[::1]:");
      try (Transport transport =
          ShardRoutes.open(
              1,
              server.shard(),
              List.of(port.address().toString(), "none:1"),
              SECRET,
              kind,
              false)) {
        assertThat(transport.send(0, new ShardCommand.Explain(0)).join())
            .isInstanceOf(ShardReply.Explanation.class);
      }
    }
  }

  private static boolean hasIpv6() {
    try (var _ = new ServerSocket(0, 1, InetAddress.ofLiteral("::1"))) {
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  @Test
  void shardThatIsGoneIsALostLinkAndStaysOne() throws Exception {
    ShardServer port = ShardServer.open("127.0.0.1", SECRET);
    HostPort address = port.address();
    port.close();
    try (var route = new GrpcRoute(1, address, SECRET)) {
      failureOf(route.send(anyCommand()));

      assertThatThrownBy(() -> route.send(anyCommand()).join())
          .hasMessageContaining("worker 1 cannot be reached");
    }
  }
}
