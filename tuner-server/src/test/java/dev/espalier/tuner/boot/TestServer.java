package dev.espalier.tuner.boot;

import dev.espalier.tuner.rest.Doubles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A whole server on an embedded PostgreSQL, started once for all tests of this JVM, with doubles
/// for the runners.
public final class TestServer {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private static final class Holder {
    static final TestServer SERVER = new TestServer();
  }

  private final Path home;
  private final ConfigurableApplicationContext context;
  private final HttpClient http = HttpClient.newHttpClient();
  private final String base;
  private final String token;

  private TestServer() {
    try {
      home = Files.createTempDirectory("espalier-test");
      context =
          TunerServerApplication.start(
              List.of(ServerConfiguration.class, Doubles.class),
              "--espalier.home=" + home,
              "--espalier.http.port=0",
              "--espalier.grpc.port=0",
              "--espalier.http.forwarded-headers=native",
              "--espalier.http.posts-per-second=100000",
              "--espalier.http.post-burst=100000",
              "--espalier.http.failures-per-minute=100000");
      base = TunerServerApplication.dashboard(context);
      token = Files.readString(home.resolve("token")).strip();
      // After the context has closed: its database writes until then.
      SpringApplication.getShutdownHandlers().add(() -> deleteTree(home));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static TestServer get() {
    return Holder.SERVER;
  }

  public <T> T bean(Class<T> type) {
    return context.getBean(type);
  }

  public ConfigurableApplicationContext context() {
    return context;
  }

  public Path home() {
    return home;
  }

  public String base() {
    return base;
  }

  public String token() {
    return token;
  }

  public HttpClient http() {
    return http;
  }

  /// A request with the token.
  public HttpRequest.Builder request(String path) {
    return anonymous(path).header("Authorization", "Bearer " + token);
  }

  public HttpRequest.Builder anonymous(String path) {
    return HttpRequest.newBuilder(URI.create(base + path));
  }

  public Answer send(HttpRequest.Builder request) {
    try {
      return new Answer(http.send(request.build(), HttpResponse.BodyHandlers.ofString()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  public Answer get(String path) {
    return send(request(path));
  }

  public Answer post(String path, String json, String... headers) {
    var request =
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return send(request);
  }

  /// Submits a small job.
  ///
  /// @return its id
  public String newJob() {
    return post("/api/v1/jobs", "{\"name\":\"a\",\"program\":\"toy\"}").json().get("id").asString();
  }

  /// An answer with its body.
  public record Answer(int status, Map<String, List<String>> headers, String body) {
    Answer(HttpResponse<String> response) {
      this(response.statusCode(), response.headers().map(), response.body());
    }

    public JsonNode json() {
      return JSON.readTree(body);
    }

    public String header(String name) {
      List<String> values = headers.get(name);
      return values == null ? "" : values.getFirst();
    }
  }

  private static void deleteTree(Path tree) {
    try (var files = Files.walk(tree)) {
      files.sorted(java.util.Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException e) {
      System.err.println("cannot delete " + tree + ": " + e.getMessage());
    }
  }
}
