package dev.espalier.api.model;

/// A place in a network, as `host:port`; an address of IPv6 stands in brackets there.
///
/// @param host a name or an address, without brackets
/// @param port 0 to 65535
public record HostPort(String host, int port) {
  public HostPort {
    host = host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
    if (host.isEmpty() || port < 0 || port > 65_535) {
      throw new IllegalArgumentException(
          "an address must be HOST:PORT with a port in [0, 65535] but is " + host + ":" + port);
    }
  }

  /// {@return what `toString` has written, or a person}
  ///
  /// @param otherwise port where none is named; -1 where one must be
  /// @throws IllegalArgumentException when it is none
  public static HostPort parse(String text, int otherwise) {
    int colon = text.lastIndexOf(':');
    // Of an address of IPv6 only the colon behind brackets is one before a port.
    boolean isAlone = colon >= 0 && text.indexOf(':') == colon;
    boolean isBehindBrackets = text.startsWith("[") && colon == text.indexOf(']') + 1;
    boolean hasPort = isAlone || isBehindBrackets;
    if (!hasPort && otherwise < 0) {
      throw new IllegalArgumentException("an address must be HOST:PORT but is " + text);
    }
    String host = hasPort ? text.substring(0, colon) : text;
    return new HostPort(host, hasPort ? port(text, text.substring(colon + 1)) : otherwise);
  }

  private static int port(String text, String digits) {
    try {
      return Integer.parseInt(digits);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("an address must be HOST:PORT but is " + text, e);
    }
  }

  /// {@return such as `db:5432` or `[::1]:5432`}
  @Override
  public String toString() {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }
}
