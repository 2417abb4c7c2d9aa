package dev.espalier.tuner.rest;

import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/// About the server and the caller.
@RestController
class ServerController {
  private final ServerVersion version;

  ServerController(ServerVersion version) {
    this.version = version;
  }

  @GetMapping(path = "/api/v1/me", produces = MediaType.APPLICATION_JSON_VALUE)
  MeView me() {
    Caller caller = Caller.current();
    return new MeView(caller.tokenId(), caller.name(), caller.actor(), caller.viaSession());
  }

  @GetMapping(path = "/api/v1/version", produces = MediaType.APPLICATION_JSON_VALUE)
  ServerVersion version() {
    return version;
  }

  /// Who sends the request.
  ///
  /// @param actor how decisions name the caller
  /// @param session whether a browser's session was shown
  record MeView(String tokenId, String name, String actor, boolean session) {}

  /// What runs.
  ///
  /// @param version of Espalier
  /// @param api newest version of the interface
  /// @param java version of the runtime
  record ServerVersion(String version, String api, String java) {}
}
