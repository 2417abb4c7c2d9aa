package dev.espalier.ps;

import dev.espalier.ps.transport.FrameCodec;
import dev.espalier.ps.transport.ShardEndpoint;
import dev.espalier.ps.transport.ShardRoute;
import dev.espalier.ps.transport.Transport;
import java.util.List;

/// The contract when all commands and replies go through frames.
final class LoopbackFramesTest extends ParameterServerContract {
  @Override
  protected Cluster.Network join(List<ParameterServer> servers) {
    Transport transport =
        new Transport(servers.stream().map(server -> frames(server.endpoint())).toList());
    return new Cluster.Network() {
      @Override
      public Transport transport(int rank) {
        return transport;
      }

      @Override
      public void close() {}
    };
  }

  private static ShardRoute frames(ShardEndpoint endpoint) {
    return command ->
        endpoint.handle(FrameCodec.encode(command)).thenApply(FrameCodec::decodeReply);
  }
}
