package dev.espalier.runtime.transport;

import dev.espalier.api.model.HostPort;
import dev.espalier.ps.link.Medium;
import dev.espalier.ps.link.ShardLink;
import dev.espalier.ps.shard.Arrivals;
import dev.espalier.ps.shard.Shard;
import dev.espalier.ps.transport.OwnShard;
import dev.espalier.ps.transport.ShardRoute;
import dev.espalier.ps.transport.Transport;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds a way from a worker to each shard, and says which and why.
public final class ShardRoutes {
  private static final Logger log = LoggerFactory.getLogger(ShardRoutes.class);

  private ShardRoutes() {}

  /// Opens the ways to all shards.
  ///
  /// @param self this worker's number
  /// @param own this worker's shard
  /// @param addresses host:port of the gRPC port of every worker, by number
  /// @param secret of the job
  /// @param kind how to travel
  /// @param cachesKeys whether row numbers sent before are named and not sent again; not by gRPC
  /// @return a transport to be closed before the shard is
  public static Transport open(
      int self,
      Shard own,
      List<String> addresses,
      String secret,
      RouteKind kind,
      boolean cachesKeys) {
    List<ShardRoute> routes = new ArrayList<>();
    try {
      for (int worker = 0; worker < addresses.size(); worker++) {
        routes.add(
            worker == self
                ? new OwnShard(own)
                : route(
                    worker,
                    HostPort.parse(addresses.get(worker), -1),
                    secret,
                    kind,
                    cachesKeys,
                    own.arrivals()));
      }
      return new Transport(routes);
    } catch (RuntimeException e) {
      routes.forEach(ShardRoute::close);
      throw e;
    }
  }

  private static ShardRoute route(
      int worker,
      HostPort address,
      String secret,
      RouteKind kind,
      boolean cachesKeys,
      Arrivals arrivals) {
    GrpcRoute grpc = new GrpcRoute(worker, address, secret);
    if (kind == RouteKind.GRPC) {
      log.info("shard={} route={}, which was asked for", worker, grpc);
      return grpc;
    }
    try {
      Medium medium = kind == RouteKind.SOCKET ? Medium.SOCKET : Medium.ANY;
      ShardLink link =
          ShardLink.open(
              worker, address.host(), grpc.linkPort(), secret, medium, cachesKeys, arrivals);
      grpc.close();
      log.info("shard={} route={}", worker, link);
      return link;
    } catch (IOException | StatusRuntimeException failure) {
      log.warn("shard={} route={}, a socket failed: {}", worker, grpc, failure.toString());
      return grpc;
    } catch (RuntimeException failure) {
      grpc.close();
      throw failure;
    }
  }
}
