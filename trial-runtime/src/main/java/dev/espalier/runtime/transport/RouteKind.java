package dev.espalier.runtime.transport;

import java.util.Locale;

/// How commands travel between workers.
public enum RouteKind {
  /// The fastest way that works: shared memory on one host, a socket, gRPC.
  AUTO,
  /// A socket, also on one host; gRPC where it cannot be had.
  SOCKET,
  /// gRPC.
  GRPC;

  /// {@return the kind that job files call `name`}
  public static RouteKind named(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }
}
