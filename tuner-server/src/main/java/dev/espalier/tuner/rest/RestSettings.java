package dev.espalier.tuner.rest;

import java.util.List;

/// What can be set about the REST interface.
///
/// @param address that the server listens on
/// @param hosts further names that browsers may use for it
/// @param postsPerSecond unsafe requests that one token may send
/// @param postBurst how many of these may come at once
/// @param failuresPerMinute wrong secrets that one address may send
public record RestSettings(
    String address, List<String> hosts, int postsPerSecond, int postBurst, int failuresPerMinute) {
  public RestSettings {
    hosts = List.copyOf(hosts);
  }
}
