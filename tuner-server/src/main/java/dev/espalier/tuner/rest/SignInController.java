package dev.espalier.tuner.rest;

import dev.espalier.api.model.EspalierException;
import jakarta.servlet.http.HttpServletRequest;
import java.net.URI;
import java.util.Optional;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseCookie;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.util.HtmlUtils;

/// Signs a browser in with a code that works once, so that no token stands in an address.
@RestController
class SignInController {
  private static final String PAGE =
      """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8"><title>Espalier</title></head>
      <body><h1>%s</h1>
      <p>%s</p></body></html>
      """;

  private static final String REFUSED =
      PAGE.formatted(
          "This link does not work any more",
          "A sign-in link works once and for five minutes. Ask for a new one:"
              + " <code>./espalier sign-in</code>");

  private final Authenticator authenticator;
  private final RateLimits failureLimits;

  SignInController(Authenticator authenticator, RateLimits failureLimits) {
    this.authenticator = authenticator;
    this.failureLimits = failureLimits;
  }

  @PostMapping(path = "/api/v1/sign-in-codes", produces = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.CREATED)
  ResponseEntity<Authenticator.SignInCode> code() {
    return ResponseEntity.status(201)
        .cacheControl(CacheControl.noStore())
        .body(authenticator.newCode(Caller.current()));
  }

  /// Trades a code for a session.
  ///
  /// @param job where to go; the list of jobs when absent
  @GetMapping(path = SecurityConfiguration.SIGN_IN)
  ResponseEntity<String> signIn(
      @RequestParam(defaultValue = "") String code,
      @RequestParam(defaultValue = "") String job,
      HttpServletRequest request) {
    Optional<TokenSecret> session;
    try {
      session = authenticator.signIn(code);
    } catch (EspalierException notStored) {
      return page(503, notNow(notStored));
    }
    if (session.isEmpty()) {
      // A right code is taken, whatever others behind the same address try.
      boolean tooMany = failureLimits.secondsToWait(String.valueOf(request.getRemoteAddr())) > 0;
      return page(tooMany ? 429 : 401, REFUSED);
    }
    ResponseCookie cookie =
        ResponseCookie.from(AuthenticationFilter.SESSION_COOKIE, session.get().text())
            .httpOnly(true)
            .sameSite("Strict")
            .secure(request.isSecure())
            .path("/")
            .maxAge(Authenticator.SESSION_LENGTH)
            .build();
    // From here, not from the root: a proxy may serve the page below a path of its own.
    String target = job.matches(Lookups.JOB_ID) ? "./#/jobs/" + job : "./";
    return ResponseEntity.status(303)
        .location(URI.create(target))
        .cacheControl(CacheControl.noStore())
        .header(HttpHeaders.SET_COOKIE, cookie.toString())
        .build();
  }

  private static String notNow(EspalierException why) {
    return PAGE.formatted(
        "Signing in is not possible now",
        HtmlUtils.htmlEscape(String.valueOf(why.getMessage()))
            + ".</p><p>The link is not used up: load this page again. It works for five minutes.");
  }

  private static ResponseEntity<String> page(int status, String text) {
    return ResponseEntity.status(status)
        .contentType(MediaType.TEXT_HTML)
        .cacheControl(CacheControl.noStore())
        .body(text);
  }

  /// Ends the browser's session.
  @DeleteMapping(path = "/api/v1/session")
  @ResponseStatus(HttpStatus.NO_CONTENT)
  ResponseEntity<Void> signOut(HttpServletRequest request) {
    AuthenticationFilter.sessionCookie(request).ifPresent(authenticator::signOut);
    return ResponseEntity.noContent()
        .header(HttpHeaders.SET_COOKIE, AuthenticationFilter.endedSession().toString())
        .build();
  }
}
