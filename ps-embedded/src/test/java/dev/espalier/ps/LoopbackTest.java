package dev.espalier.ps;

import dev.espalier.ps.transport.Transport;
import java.util.List;

/// The contract when all shards are called directly.
class LoopbackTest extends ParameterServerContract {
  @Override
  protected Cluster.Network join(List<ParameterServer> servers) {
    Transport transport =
        Transport.inProcess(servers.stream().map(ParameterServer::shard).toList());
    return new Cluster.Network() {
      @Override
      public Transport transport(int rank) {
        return transport;
      }

      @Override
      public void close() {}
    };
  }
}
