package dev.espalier.ps;

import dev.espalier.ps.transport.FrameCodec;
import dev.espalier.ps.transport.ShardEndpoint;
import dev.espalier.ps.transport.Transport;
import java.util.List;

/// The contract when all commands and replies go through frames.
final class LoopbackFramesTest extends ParameterServerContract {
  @Override
  protected Cluster.Network join(List<ParameterServer> servers) {
    List<ShardEndpoint> endpoints = servers.stream().map(ParameterServer::endpoint).toList();
    Transport transport =
        (shard, command) ->
            endpoints
                .get(shard)
                .handle(FrameCodec.encode(command))
                .thenApply(FrameCodec::decodeReply);
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
