package dev.espalier.runtime.transport;

/// How commands travel between workers.
public enum RouteKind {
  /// The fastest way that works: shared memory on one host, a socket, gRPC.
  AUTO,
  /// A socket, also on one host; gRPC where it cannot be had.
  SOCKET,
  /// gRPC.
  GRPC
}
