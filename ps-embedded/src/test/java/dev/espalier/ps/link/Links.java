package dev.espalier.ps.link;

import dev.espalier.ps.Cluster;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.transport.OwnShard;
import dev.espalier.ps.transport.ShardRoute;
import dev.espalier.ps.transport.Transport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/// Servers joined by real sockets.
final class Links implements Cluster.Network {
  static final String TOKEN = "a job's token";

  private final List<LinkServer> ports = new ArrayList<>();
  private final Medium medium;
  private final List<Transport> transports = new ArrayList<>();

  /// @param detour from a shard's port to the port to connect to
  Links(List<ParameterServer> servers, Medium medium, IntUnaryOperator detour) {
    this.medium = medium;
    try {
      for (ParameterServer server : servers) {
        LinkServer port = LinkServer.open("127.0.0.1", TOKEN);
        port.serve(server.shard());
        ports.add(port);
      }
      for (int rank = 0; rank < servers.size(); rank++) {
        transports.add(transport(rank, servers, detour));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Transport transport(int rank, List<ParameterServer> servers, IntUnaryOperator detour)
      throws IOException {
    List<ShardRoute> routes = new ArrayList<>();
    for (int shard = 0; shard < servers.size(); shard++) {
      routes.add(
          shard == rank
              ? new OwnShard(servers.get(shard).shard())
              : ShardLink.open(
                  shard,
                  "127.0.0.1",
                  detour.applyAsInt(ports.get(shard).port()),
                  TOKEN,
                  medium,
                  true,
                  Duration.ofSeconds(20),
                  servers.get(rank).shard().arrivals()));
    }
    return new Transport(routes);
  }

  @Override
  public Transport transport(int rank) {
    return transports.get(rank);
  }

  @Override
  public void close() {
    transports.forEach(Transport::close);
    ports.forEach(LinkServer::close);
  }
}
