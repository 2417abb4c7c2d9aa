package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.PageView;
import dev.espalier.api.rest.TokenView;
import dev.espalier.tuner.app.port.TokenStore;
import dev.espalier.tuner.app.port.WorkerGateway;
import java.net.URI;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/// API tokens.
@RestController
@RequestMapping(path = "/api/v1/tokens", produces = MediaType.APPLICATION_JSON_VALUE)
class TokenController {
  private final TokenStore tokens;
  private final WorkerGateway workers;
  private final Authenticator authenticator;
  private final EventHub hub;

  TokenController(
      TokenStore tokens, Authenticator authenticator, EventHub hub, WorkerGateway workers) {
    this.workers = workers;
    this.tokens = tokens;
    this.authenticator = authenticator;
    this.hub = hub;
  }

  /// Makes a token; this answer is the only one that shows it.
  @PostMapping(consumes = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.CREATED)
  ResponseEntity<TokenView> create(@RequestBody NewToken request) {
    String name = request.name();
    if (name == null || !name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,79}")) {
      throw Lookups.invalid(
          "name",
          "name must be 1 to 80 letters, digits, '.', '_' or '-', the first a letter or digit,"
              + " but is "
              + name,
          name);
    }
    TokenSecret secret = TokenSecret.random();
    TokenView token = tokens.create(name, secret.sha256());
    return ResponseEntity.created(URI.create("/api/v1/tokens/" + token.id()))
        .header("Cache-Control", "no-store")
        .body(
            new TokenView(
                token.id(),
                token.name(),
                token.createTime(),
                token.lastUseTime(),
                token.revokeTime(),
                secret.text()));
  }

  @GetMapping
  PageView<TokenView> tokens() {
    return new PageView<>(tokens.tokens(), null);
  }

  /// Revokes a token and ends the browser sessions, the streams and the workers' links made with
  /// it.
  @DeleteMapping("/{token}")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  ResponseEntity<Void> revoke(@PathVariable String token) {
    switch (authenticator.revoke(token)) {
      case UNKNOWN -> throw Lookups.notFound("token", token);
      case LAST ->
          throw new EspalierException(
              ErrorCode.WRONG_STATE,
              "this is the last valid token; make another one before it is revoked");
      case DONE -> {}
    }
    hub.cutOff(token);
    workers.tokenRevoked();
    return ResponseEntity.noContent().build();
  }

  /// A token to make.
  record NewToken(@Nullable String name) {}
}
