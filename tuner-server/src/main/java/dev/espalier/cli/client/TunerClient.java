package dev.espalier.cli.client;

import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.PrintableText;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.ProtocolException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Requests to a server's REST interface; every failure comes as a [CommandFailure].
public final class TunerClient {
  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(30);

  /// A large model is read and written anew before its first byte comes. The server gives up on
  /// that after half an hour, and its words say more than a timeout here.
  private static final Duration DOWNLOAD_TIMEOUT = Duration.ofMinutes(35);

  private static final String API = "/api/v1";

  /// What a server and a proxy answer that are asked plainly, and encrypt.
  private static final List<String> ENCRYPTS = List.of("requires TLS", "sent to HTTPS port");

  /// What a server says of a path or method that every Espalier server has; only others say so
  /// without a problem document.
  private static final Set<Integer> OF_OTHERS = Set.of(404, 405, 501);

  private final URI base;
  private final Optional<String> token;
  private final HttpClient http;

  /// @param server such as `http://127.0.0.1:7070`
  /// @throws CommandFailure `USAGE` when it is no address of a server
  public TunerClient(String server, Optional<String> token) {
    this(server, token, Optional.empty());
  }

  /// @param server such as `https://train.example.org`
  /// @param trusted PEM file of the certificates to trust; empty for those that Java trusts
  /// @throws CommandFailure `USAGE` when one of them is not what it should be
  public TunerClient(String server, Optional<String> token, Optional<Path> trusted) {
    this.base = address(server);
    this.token = token;
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5));
    trusted.map(Certificates::trusting).ifPresent(builder::sslContext);
    this.http = builder.build();
  }

  /// {@return whether an address names this machine's loopback}
  ///
  /// @throws CommandFailure `USAGE` when it is no address of a server
  public static boolean isOnThisMachine(String server) {
    String host = address(server).getHost().toLowerCase(Locale.ROOT);
    return host.equals("localhost") || host.equals("[::1]") || host.matches("127(\\.\\d{1,3}){3}");
  }

  private static URI address(String server) {
    try {
      URI uri = URI.create(server.strip().replaceAll("/+$", ""));
      String scheme = String.valueOf(uri.getScheme());
      if ((scheme.equals("http") || scheme.equals("https")) && uri.getHost() != null) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      throw notAnAddress(server, e);
    }
    throw notAnAddress(server, null);
  }

  private static CommandFailure notAnAddress(String server, @Nullable Throwable cause) {
    return new CommandFailure(
        ExitStatus.USAGE,
        "server must be an address such as http://127.0.0.1:7070 but is " + server,
        cause);
  }

  public URI base() {
    return base;
  }

  /// {@return `text` as one segment of a path}
  public static String segment(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /// {@return the document at `path`, such as `/jobs`}
  public JsonNode get(String path) {
    return document(send(request(path).GET().build()));
  }

  /// {@return the document at `path` as a record of the API}
  public <T> T get(String path, Class<T> type) {
    return Json.as(get(path), type);
  }

  /// {@return all items of a list, page after page}
  public <T> List<T> all(String path, Class<T> type) {
    return items(path).stream().map(item -> Json.as(item, type)).toList();
  }

  /// {@return all items of a list, page after page, as they came}
  public List<JsonNode> items(String path) {
    var items = new ArrayList<JsonNode>();
    String join = path.contains("?") ? "&" : "?";
    String next = path;
    while (!next.isEmpty()) {
      JsonNode page = get(next);
      JsonNode list = page.isArray() ? page : page.path("items");
      list.forEach(items::add);
      String pageToken = page.path("nextPageToken").asString("");
      next = pageToken.isEmpty() ? "" : path + join + "pageToken=" + segment(pageToken);
    }
    return items;
  }

  /// {@return the text at `path`, whatever its type}
  public String text(String path) {
    return send(request(path).header("Accept", "*/*").GET().build()).body();
  }

  public JsonNode post(String path) {
    return post(path, Map.of(), Map.of());
  }

  public JsonNode post(String path, Object body) {
    return post(path, body, Map.of());
  }

  /// {@return the answer; an empty object when it has no content}
  public JsonNode post(String path, Object body, Map<String, String> headers) {
    HttpRequest.Builder request =
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(Json.write(Json.tree(body))));
    headers.forEach(request::header);
    return document(send(request.build()));
  }

  public void delete(String path) {
    send(request(path).DELETE().build());
  }

  public JobView job(String job) {
    return get("/jobs/" + segment(job), JobView.class);
  }

  /// {@return whether a server answers and says that it is ready}
  public boolean isReady() {
    try {
      var request =
          HttpRequest.newBuilder(URI.create(base + "/actuator/health/readiness"))
              .timeout(Duration.ofSeconds(2))
              .GET()
              .build();
      int status = http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
      return status == 200 || status == 401;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /// Opens the event stream at `path`.
  ///
  /// @param lastEventId the last event that was seen; empty for none
  /// @param patience how long the server may take to begin its answer
  /// @throws IOException when what it answers cannot be read
  /// @throws CommandFailure when it refuses, or `UNREACHABLE`
  InputStream openEvents(String path, String lastEventId, Duration patience) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(base + API + path))
            .header("Accept", "text/event-stream")
            .GET();
    token.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
    if (!lastEventId.isEmpty()) {
      request.header("Last-Event-ID", lastEventId);
    }
    HttpResponse<InputStream> response = answerWithin(patience, request.build());
    if (response.statusCode() == 200) {
      return response.body();
    }
    try (InputStream body = response.body()) {
      String text = new String(body.readNBytes(100_000), StandardCharsets.UTF_8);
      throw failure(response.statusCode(), text);
    }
  }

  /// {@return an answer that has begun in time and may go on for ever}
  ///
  /// The timeout of a request would do for this JDK; in later ones it also bounds the body.
  private HttpResponse<InputStream> answerWithin(Duration patience, HttpRequest request) {
    var answer = http.sendAsync(request, HttpResponse.BodyHandlers.ofInputStream());
    try {
      return answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw noAnswerWithin(patience, e);
    } catch (ExecutionException e) {
      throw unreachable(e.getCause() instanceof IOException io ? io : new IOException(e), patience);
    } catch (InterruptedException e) {
      throw interrupted(e);
    } finally {
      answer.cancel(true); // without effect on one that has come
    }
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(base + API + path)).timeout(REQUEST_TIMEOUT);
    token.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
    return request;
  }

  /// Writes what lies at `path` to a file, which appears when it is whole.
  ///
  /// @return its size in bytes
  public long download(String path, Path file) {
    try {
      return FileAside.write(file, aside -> receive(path, aside));
    } catch (IOException e) {
      throw new CommandFailure(
          ExitStatus.INTERNAL, "the download of " + file + " failed: " + reason(e), e);
    }
  }

  private void receive(String path, Path file) throws IOException {
    HttpRequest request =
        request(path).timeout(DOWNLOAD_TIMEOUT).header("Accept", "*/*").GET().build();
    HttpResponse<InputStream> response = send(request, HttpResponse.BodyHandlers.ofInputStream());
    try (InputStream body = response.body()) {
      if (response.statusCode() != 200) {
        String text = new String(body.readNBytes(100_000), StandardCharsets.UTF_8);
        throw failure(response.statusCode(), text);
      }
      Files.copy(body, file, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private HttpResponse<String> send(HttpRequest request) {
    HttpResponse<String> response =
        send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
    if (response.statusCode() / 100 != 2) {
      throw failure(response.statusCode(), response.body());
    }
    return response;
  }

  private <T> HttpResponse<T> send(HttpRequest request, HttpResponse.BodyHandler<T> handler) {
    try {
      return http.send(request, handler);
    } catch (IOException e) {
      throw unreachable(e, request.timeout().orElse(REQUEST_TIMEOUT));
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private CommandFailure unreachable(IOException failure, Duration patience) {
    return switch (failure) {
      case ConnectException e ->
          new CommandFailure(
              ExitStatus.UNREACHABLE,
              "no server answers at " + base + "; start one with: espalier server",
              e);
      case HttpTimeoutException e -> noAnswerWithin(patience, e);
      case SSLException e ->
          new CommandFailure(ExitStatus.UNREACHABLE, Certificates.refusal(base, e), e);
      case ProtocolException e ->
          new CommandFailure(
              ExitStatus.UNREACHABLE,
              "what answers at " + base + " speaks no HTTP: is it the port that workers come to?",
              e);
      default ->
          new CommandFailure(
              ExitStatus.UNREACHABLE,
              "the connection to " + base + " failed: " + reason(failure),
              failure);
    };
  }

  private CommandFailure noAnswerWithin(Duration patience, Exception cause) {
    return new CommandFailure(
        ExitStatus.UNREACHABLE,
        "the server at " + base + " did not answer within " + patience.toSeconds() + " s",
        cause);
  }

  private static String reason(IOException e) {
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : PrintableText.of(message);
  }

  private CommandFailure failure(int status, String body) {
    boolean isProblem = body.startsWith("{");
    if (status == 400 && ENCRYPTS.stream().anyMatch(body::contains)) {
      return new CommandFailure(
          ExitStatus.UNREACHABLE, "the server at " + base + " encrypts; ask it by https://");
    }
    String title =
        !isProblem && OF_OTHERS.contains(status)
            ? "what answers at " + base + " is no Espalier server: it says " + status
            : "";
    return Problems.failure(
        status, isProblem ? Json.parse(body) : Json.tree(Map.of("title", title)));
  }

  private static CommandFailure interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new CommandFailure(ExitStatus.INTERRUPTED, "interrupted", e);
  }

  private static JsonNode document(HttpResponse<String> response) {
    return response.body().isBlank() ? Json.tree(Map.of()) : Json.parse(response.body());
  }
}
