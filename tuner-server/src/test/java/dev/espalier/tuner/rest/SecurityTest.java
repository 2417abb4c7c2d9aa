package dev.espalier.tuner.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tuner.boot.TestServer;
import dev.espalier.tuner.boot.TestServer.Answer;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.springframework.web.bind.annotation.RequestMethod;
import org.springframework.web.servlet.mvc.method.RequestMappingInfo;
import org.springframework.web.servlet.mvc.method.RequestMappingInfoHandlerMapping;

class SecurityTest {
  private final TestServer server = TestServer.get();

  @Test
  void everyMappingNeedsATokenButTheKnownFew() {
    Set<String> open = new TreeSet<>();
    int walked = 0;
    for (var mappings :
        server.context().getBeansOfType(RequestMappingInfoHandlerMapping.class).values()) {
      for (RequestMappingInfo info : mappings.getHandlerMethods().keySet()) {
        Set<RequestMethod> methods = info.getMethodsCondition().getMethods();
        for (String pattern : info.getPatternValues()) {
          for (RequestMethod method :
              methods.isEmpty() ? Set.of(RequestMethod.values()) : methods) {
            if (method == RequestMethod.TRACE) {
              continue;
            }
            walked++;
            String path = pattern.replaceAll("\\{branch[^}]*}(?=})?\\}?", "1");
            path = path.replaceAll("/\\*\\*$", "/x").replaceAll("\\{[^/]*}", "x1");
            Answer answer =
                server.send(server.anonymous(path).method(method.name(), BodyPublishers.noBody()));
            if (answer.status() != 401) {
              open.add(method + " " + pattern + " " + answer.status());
            }
          }
        }
      }
    }

    assertThat(walked).isGreaterThan(30);
    // A sign-in without a code is refused by its own page.
    assertThat(open).isEmpty();
    for (String path :
        List.of("/actuator", "/actuator/health", "/actuator/prometheus", "/actuator/metrics")) {
      assertThat(server.send(server.anonymous(path)).status()).as(path).isEqualTo(401);
    }
    for (String path : List.of("/api/v1/openapi.json", "/v3/api-docs", "/error", "/api", "/x/y")) {
      assertThat(server.send(server.anonymous(path)).status()).as(path).isEqualTo(401);
    }
  }

  @Test
  void probesAndPageFilesNeedNone() {
    assertThat(server.send(server.anonymous("/actuator/health/liveness")).body())
        .isEqualTo("{\"status\":\"UP\"}");
    assertThat(server.send(server.anonymous("/actuator/health/readiness")).body())
        .isEqualTo("{\"status\":\"UP\"}");
    assertThat(server.send(server.anonymous("/robots.txt")).status()).isEqualTo(200);
  }

  @Test
  void operatorsSeeMetersAndHealthWithToken() {
    assertThat(server.get("/actuator/prometheus").body())
        .contains("espalier_jobs", "espalier_rounds_total", "espalier_fork_seconds");
    assertThat(server.get("/actuator/health").json().get("components").get("db")).isNotNull();
  }

  @Test
  void answersCarryStrictHeaders() {
    Answer answer = server.get("/api/v1/version");

    assertThat(answer.header("content-security-policy"))
        .contains("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'")
        .doesNotContain("unsafe");
    assertThat(answer.header("x-content-type-options")).isEqualTo("nosniff");
    assertThat(answer.header("x-frame-options")).isEqualTo("DENY");
    assertThat(answer.header("referrer-policy")).isEqualTo("no-referrer");
    assertThat(answer.header("cache-control")).contains("no-store");
  }

  @Test
  void strangeHostNameIsRefusedAndAnAddressIsNot() throws IOException {
    assertThat(askedBy("evil.example"))
        .startsWith("HTTP/1.1 403")
        .contains("evil.example", "\"FORBIDDEN\"");
    assertThat(askedBy("127.0.0.1.evil.example")).startsWith("HTTP/1.1 403");
    assertThat(askedBy("192.0.2.7:7070")).startsWith("HTTP/1.1 200");
    assertThat(askedBy("[2001:db8::1]:7070")).startsWith("HTTP/1.1 200");
  }

  private String askedBy(String host) throws IOException {
    URI base = URI.create(server.base());
    try (var socket = new Socket(base.getHost(), base.getPort())) {
      socket
          .getOutputStream()
          .write(
              ("GET /actuator/health/readiness HTTP/1.1\r\nHost: "
                      + host
                      + "\r\nConnection: close\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void firstTokenIsKeptWhereOnlyItsOwnerReads() throws IOException {
    assertThat(Files.getPosixFilePermissions(server.home().resolve("token")))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThat(server.token()).startsWith("esp_").hasSize(47);
  }

  @Test
  void tokenIsShownOnceAndEndsWhenRevoked() {
    Answer made = server.post("/api/v1/tokens", "{\"name\":\"ci\"}");
    String id = made.json().get("id").asString();
    String secret = made.json().get("token").asString();

    assertThat(made.status()).isEqualTo(201);
    assertThat(status(secret)).isEqualTo(200);
    assertThat(server.get("/api/v1/tokens").body()).contains(id).doesNotContain(secret);
    assertThat(server.send(server.request("/api/v1/tokens/" + id).DELETE()).status())
        .isEqualTo(204);
    assertThat(status(secret)).isEqualTo(401);
    assertThat(server.send(server.request("/api/v1/tokens/tok_0").DELETE()).status())
        .isEqualTo(404);
    assertThat(server.post("/api/v1/tokens", "{\"name\":\"a b\"}").status()).isEqualTo(400);
  }

  @Test
  void codeSignsABrowserInOnce() {
    Answer code = server.post("/api/v1/sign-in-codes", "");
    String path = code.json().get("path").asString();

    Answer signedIn = server.send(server.anonymous(path));
    String cookie = signedIn.header("set-cookie");
    String session = cookie.substring(0, cookie.indexOf(';'));

    assertThat(signedIn.status()).isEqualTo(303);
    assertThat(signedIn.header("location")).isEqualTo("./");
    assertThat(cookie).contains("HttpOnly", "SameSite=Strict", "Path=/");
    assertThat(server.send(server.anonymous(path)).status()).isEqualTo(401);
    assertThat(server.send(withCookie("/api/v1/me", session)).json().get("session").asBoolean())
        .isTrue();
    assertThat(server.send(withCookie("/api/v1/jobs", session)).status()).isEqualTo(200);
    assertThat(server.send(withCookie("/api/v1/me", "espalier_session=esp_x")).status())
        .isEqualTo(401);

    String job = server.newJob();
    HttpRequest.Builder forged =
        withCookie("/api/v1/jobs/" + job + "/pause", session).POST(BodyPublishers.noBody());
    assertThat(server.send(forged).status()).isEqualTo(403);
    assertThat(server.send(forged.copy().header("X-Espalier-Request", "1")).status())
        .isEqualTo(202);

    HttpRequest.Builder signOut =
        withCookie("/api/v1/session", session).header("X-Espalier-Request", "1").DELETE();
    assertThat(server.send(signOut).status()).isEqualTo(204);
    assertThat(server.send(withCookie("/api/v1/me", session)).status()).isEqualTo(401);
  }

  @Test
  void cookieTravelsEncryptedWhereAProxySaysThatThePageDoes() {
    String plain = server.post("/api/v1/sign-in-codes", "").json().get("path").asString();
    String proxied = server.post("/api/v1/sign-in-codes", "").json().get("path").asString();

    assertThat(server.send(server.anonymous(plain)).header("set-cookie")).doesNotContain("Secure");
    assertThat(
            server
                .send(server.anonymous(proxied).header("X-Forwarded-Proto", "https"))
                .header("set-cookie"))
        .contains("Secure");
    assertThat(
            server.send(server.anonymous("/").header("X-Forwarded-Host", "evil.example")).status())
        .as("a proxy's word for the host is checked like any other")
        .isEqualTo(403);
  }

  @Test
  void signInMayLeadToAJobAndNowhereElse() {
    String path = server.post("/api/v1/sign-in-codes", "").json().get("path").asString();
    String other = server.post("/api/v1/sign-in-codes", "").json().get("path").asString();

    assertThat(server.send(server.anonymous(path + "&job=job_1")).header("location"))
        .isEqualTo("./#/jobs/job_1");
    assertThat(server.send(server.anonymous(other + "&job=//evil.example")).header("location"))
        .isEqualTo("./");
  }

  @Test
  void logAndDatabaseHoldNoSecret() throws IOException {
    server.get("/api/v1/me");
    List<String> places = new ArrayList<>(List.of(Files.readString(log())));
    places.add(
        server
            .bean(org.springframework.jdbc.core.JdbcTemplate.class)
            .queryForList("select api_token::text from api_token", String.class)
            .toString());

    assertThat(places).noneMatch(text -> text.contains(server.token()));
  }

  private java.nio.file.Path log() {
    return server.home().resolve("logs/server.log");
  }

  private int status(String token) {
    return server
        .send(server.anonymous("/api/v1/me").header("Authorization", "Bearer " + token))
        .status();
  }

  private HttpRequest.Builder withCookie(String path, String... cookies) {
    return server.anonymous(path).header("Cookie", String.join("; ", Arrays.asList(cookies)));
  }
}
