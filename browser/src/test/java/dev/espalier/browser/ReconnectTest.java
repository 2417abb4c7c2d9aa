package dev.espalier.browser;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.options.ColorScheme;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/// The page while its server is killed and comes back.
@EnabledIf(value = "dev.espalier.browser.Chromium#isThere", disabledReason = Chromium.MISSING)
final class ReconnectTest {
  private static final double PATIENCE_MILLIS = 60_000;
  private static final String JOB =
      """
      {"name": "survivor", "program": "mlp", "workers": 1, "tuning": {"policy": "fixed"},
       "stop": {"maxEpochs": 100000, "maxTime": "1h"}}\
      """;

  @TempDir private Path home;
  private final HttpClient http = HttpClient.newHttpClient();
  private int httpPort;
  private int grpcPort;
  private Process server;

  @AfterEach
  void endEverything() throws InterruptedException {
    if (server != null) {
      // Told to end it ends its database first; the home is deleted next.
      server.destroy();
      if (!server.waitFor(60, TimeUnit.SECONDS)) {
        server.destroyForcibly().waitFor();
      }
    }
    ProcessHandle.allProcesses()
        .filter(process ->
            process
                .info()
                .commandLine()
                .filter(line -> line.contains("127.0.0.1:" + grpcPort))
                .isPresent())
        .forEach(ProcessHandle::destroyForcibly);
  }

  @Test
  void thePageSaysThatTheLinkIsLostAndGoesOnWhenTheServerIsBack() throws Exception {
    httpPort = freePort();
    grpcPort = freePort();
    start();
    String job = send("POST", "/api/v1/jobs", JOB).replaceFirst("(?s).*?\"id\":\"(\\w+)\".*", "$1");
    String path =
        send("POST", "/api/v1/sign-in-codes", "")
            .replaceFirst("(?s).*\"path\":\"([^\"]+)\".*", "$1");
    List<String> complaints = new ArrayList<>();
    try (Chromium chromium = Chromium.launch()) {
      Page page = chromium.open(1280, 900, ColorScheme.LIGHT);
      PageCheck.listen(page, complaints);
      page.navigate(address() + path);
      page.navigate(address() + "/#/jobs/" + job);
      Locator link = page.locator(".link");
      assertThat(link).hasText("Live", patience());
      Locator clock =
          page.locator(".figure", new Page.LocatorOptions().setHasText("Mainline clock"))
              .locator("dd");
      assertThat(clock).not().hasText("0", patience());

      server.destroyForcibly().waitFor();
      assertThat(link).hasText(Pattern.compile("Stale since \\d\\d:\\d\\d:\\d\\d"), patience());
      assertThat(page.locator(".banner.is-stale")).containsText("trying again");
      String before = clock.innerText();
      // What was known stays on the screen.
      assertThat(page.locator(".mainline")).isAttached();

      start();
      assertThat(link).hasText("Live", patience());
      assertThat(page.locator(".banner.is-stale")).hasCount(0);
      // Workers trained on meanwhile, and the page hears of it without a reload.
      assertThat(clock).not().hasText(before, patience());
      assertThat(page.locator(".chip")).hasText("Training", patience());
    }
    assertThat(complaints).isEmpty();
    send("POST", "/api/v1/jobs/" + job + "/kill", "");
  }

  private static LocatorAssertions.HasTextOptions patience() {
    return new LocatorAssertions.HasTextOptions().setTimeout(PATIENCE_MILLIS);
  }

  private void start() throws Exception {
    server =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx384m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.espalier.tuner.boot.TunerServerApplication",
                "--espalier.home=" + home,
                "--espalier.http.port=" + httpPort,
                "--espalier.grpc.port=" + grpcPort,
                "--espalier.worker-java-options=-Xmx256m,-XX:+UseSerialGC,-XX:TieredStopAtLevel=1")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(output()))
            .start();
    long deadline = System.nanoTime() + 180_000_000_000L;
    while (!isReady()) {
      assertThat(server.isAlive()).as(Files.readString(output().toPath())).isTrue();
      assertThat(System.nanoTime()).as("the server is not ready").isLessThan(deadline);
      Thread.sleep(100);
    }
  }

  private File output() {
    return home.resolve("server.out").toFile();
  }

  private boolean isReady() throws InterruptedException {
    try {
      var request = HttpRequest.newBuilder(URI.create(address() + "/actuator/health/readiness"));
      return http.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException notYet) {
      return false;
    }
  }

  private String send(String method, String path, String body)
      throws IOException, InterruptedException {
    var request =
        HttpRequest.newBuilder(URI.create(address() + path))
            .header("Authorization", "Bearer " + Files.readString(home.resolve("token")).strip())
            .header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(body));
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString()).body();
  }

  private String address() {
    return "http://127.0.0.1:" + httpPort;
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
