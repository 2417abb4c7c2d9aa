package dev.espalier.browser;

import com.microsoft.playwright.Page;
import dev.espalier.tuner.boot.TunerServerApplication;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A whole server with its database and workers, in this process, on a folder of its own.
public final class LocalServer implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Path home;
  private final ConfigurableApplicationContext context;
  private final HttpClient http = HttpClient.newHttpClient();

  private LocalServer(Path home, ConfigurableApplicationContext context) {
    this.home = home;
    this.context = context;
  }

  /// Starts a server on free ports.
  public static LocalServer start() throws IOException {
    Path home = Files.createTempDirectory("espalier-browser");
    return new LocalServer(
        home,
        TunerServerApplication.start(
            "--espalier.home=" + home,
            "--espalier.http.port=0",
            "--espalier.grpc.port=0",
            "--espalier.http.post-burst=1000",
            "--espalier.http.posts-per-second=1000",
            "--espalier.worker-java-options=-Xmx256m,-XX:+UseSerialGC,-XX:TieredStopAtLevel=1"));
  }

  /// {@return a part of the server}
  public <T> T bean(Class<T> type) {
    return context.getBean(type);
  }

  /// {@return such as `http://127.0.0.1:40123`}
  public String address() {
    return TunerServerApplication.dashboard(context);
  }

  /// Signs a window in and shows a page.
  ///
  /// @param place after `#`, such as `/jobs/job_1`
  public void show(Page page, String place) {
    signIn(page);
    page.navigate(address() + "/#" + place);
  }

  /// Gives a window a session.
  public void signIn(Page page) {
    page.navigate(address() + signInPath(token()));
  }

  /// {@return where a browser is signed in with a token, once}
  public String signInPath(String token) {
    var request =
        HttpRequest.newBuilder(URI.create(address() + "/api/v1/sign-in-codes"))
            .header("Authorization", "Bearer " + token)
            .POST(HttpRequest.BodyPublishers.noBody());
    return JSON.readTree(send(request).body()).path("path").asString();
  }

  /// Asks for a document.
  ///
  /// @param path below the base, such as `/jobs`
  public JsonNode get(String path) {
    return JSON.readTree(send(request(path)).body());
  }

  /// Sends a document.
  ///
  /// @param json empty for none
  /// @throws IllegalStateException when it is refused
  public JsonNode post(String path, String json) {
    HttpResponse<String> answer =
        send(
            request(path)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json)));
    if (answer.statusCode() >= 300) {
      throw new IllegalStateException(path + ": " + answer.statusCode() + " " + answer.body());
    }
    return answer.body().isEmpty() ? JSON.createObjectNode() : JSON.readTree(answer.body());
  }

  /// {@return the answer to a request with the server's first token}
  public HttpResponse<String> send(HttpRequest.Builder request) {
    try {
      return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /// {@return a request with the server's first token}
  public HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(address() + "/api/v1" + path))
        .timeout(PATIENCE)
        .header("Authorization", "Bearer " + token());
  }

  private String token() {
    try {
      return Files.readString(home.resolve("token")).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    context.close();
    ProcessHandle.current()
        .descendants()
        .filter(process ->
            process.info().commandLine().filter(line -> line.contains(home.toString())).isPresent())
        .forEach(ProcessHandle::destroyForcibly);
    try (var files = Files.walk(home)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    }
  }
}
