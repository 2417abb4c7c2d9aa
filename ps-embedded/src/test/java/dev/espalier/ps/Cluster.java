package dev.espalier.ps;

import dev.espalier.ps.transport.Transport;
import java.util.ArrayList;
import java.util.List;

/// Several workers' parameter servers, joined by a transport; for tests.
public final class Cluster implements AutoCloseable {

  /// Joins servers.
  public interface Network extends AutoCloseable {
    /// The transport of the worker of a rank.
    Transport transport(int rank);

    @Override
    void close();
  }

  /// Makes a network of opened servers.
  public interface NetworkFactory {
    /// @param servers by rank
    Network join(List<ParameterServer> servers);
  }

  private final List<ParameterServer> servers;
  private final List<WorkerSession> sessions = new ArrayList<>();
  private final Network network;

  public Cluster(List<ParameterServer> servers, NetworkFactory factory) {
    this.servers = List.copyOf(servers);
    network = factory.join(this.servers);
    for (int rank = 0; rank < servers.size(); rank++) {
      sessions.add(servers.get(rank).session(network.transport(rank)));
    }
  }

  public WorkerSession session(int rank) {
    return sessions.get(rank);
  }

  public ParameterServer server(int rank) {
    return servers.get(rank);
  }

  public int workers() {
    return servers.size();
  }

  /// Pages in use on all shards.
  public long pagesInUse() {
    return servers.stream().mapToLong(server -> server.stats().pagesInUse()).sum();
  }

  @Override
  public void close() {
    network.close();
    servers.forEach(ParameterServer::close);
  }
}
