package dev.espalier.runtime.transport;

/// How commands travel between workers.
public enum RouteKind {
  /// The fastest way that works.
  AUTO,
  /// gRPC, even where something faster would work.
  GRPC
}
