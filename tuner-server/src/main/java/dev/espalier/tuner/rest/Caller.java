package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import java.security.Principal;
import org.springframework.security.core.context.SecurityContextHolder;

/// Who sends a request.
///
/// @param tokenId the token behind it
/// @param name of that token
/// @param viaSession whether a browser's session, not the token itself, was shown
record Caller(String tokenId, String name, boolean viaSession) implements Principal {
  /// {@return who sends the request that this thread works on}
  static Caller current() {
    var authentication = SecurityContextHolder.getContext().getAuthentication();
    if (authentication != null && authentication.getPrincipal() instanceof Caller caller) {
      return caller;
    }
    throw new EspalierException(ErrorCode.UNAUTHENTICATED, "a valid token is needed");
  }

  /// {@return how decisions and logs name the caller}
  String actor() {
    return "token:" + name;
  }

  @Override
  public String getName() {
    return tokenId;
  }
}
