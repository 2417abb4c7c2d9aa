package dev.espalier.endtoend;

import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A real server process on its own home folder, to be killed and started again.
final class ServerProcess implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Duration START = Duration.ofSeconds(90);

  /// Who asks more often takes the cores from those who are asked.
  private static final long POLL_MILLIS = 150;

  private final HttpClient http = HttpClient.newHttpClient();
  private final Path home;
  private final int httpPort = freePort();
  private final int grpcPort = freePort();
  private final Map<String, String> environment;
  private final List<String> options;
  private Process process;

  private ServerProcess(Path home, Map<String, String> environment, List<String> options)
      throws IOException {
    this.home = home;
    this.environment = Map.copyOf(environment);
    this.options = List.copyOf(options);
    this.process = launch();
  }

  static ServerProcess start(Path home, String... options) throws Exception {
    return start(home, Map.of(), options);
  }

  /// @param environment variables beside this process's own, also of the workers
  static ServerProcess start(Path home, Map<String, String> environment, String... options)
      throws Exception {
    var server = new ServerProcess(home, environment, List.of(options));
    server.awaitReady();
    return server;
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private Process launch() throws IOException {
    var line =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx384m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.io.tmpdir=" + Files.createDirectories(temporaryFiles()),
                "-cp",
                productClassPath(),
                "dev.espalier.tuner.boot.TunerServerApplication",
                "--espalier.home=" + home,
                "--espalier.http.port=" + httpPort,
                "--espalier.grpc.port=" + grpcPort,
                "--espalier.worker-java-options=-Xmx300m,-XX:MaxDirectMemorySize=1g,-XX:+UseSerialGC"));
    line.addAll(options);
    var builder =
        new ProcessBuilder(line)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(home.resolve("server.out").toFile()));
    builder.environment().putAll(environment);
    return builder.start();
  }

  /// This JVM's class path without the doubles of other tests.
  private static String productClassPath() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(entry -> !entry.endsWith("test-classes"))
        .collect(Collectors.joining(File.pathSeparator));
  }

  private void awaitReady() throws Exception {
    long deadline = System.nanoTime() + START.toNanos();
    while (System.nanoTime() < deadline) {
      if (!process.isAlive()) {
        throw new IllegalStateException("server ended: " + output());
      }
      try {
        if (send("GET", "/actuator/health/readiness", "").statusCode() == 200) {
          return;
        }
      } catch (IOException notYet) {
        // Nobody listens yet.
      }
      Thread.sleep(POLL_MILLIS);
    }
    throw new IllegalStateException("server is not ready: " + output());
  }

  String output() throws IOException {
    return Files.readString(home.resolve("server.out"));
  }

  /// {@return where workers that come by themselves find it}
  String workerAddress() {
    return "127.0.0.1:" + grpcPort;
  }

  /// Starts a program's own `main`, with this JVM's class path and an API token.
  Process startMain(Path jar, Path workingFolder, String... arguments) throws IOException {
    var line =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx200m",
                "-XX:TieredStopAtLevel=1",
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                jar + File.pathSeparator + productClassPath()));
    line.addAll(List.of(arguments));
    var builder =
        new ProcessBuilder(line)
            .directory(workingFolder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(workingFolder.resolve("own.out").toFile());
    builder.environment().put("ESPALIER_TOKEN", Files.readString(home.resolve("token")).strip());
    return builder.start();
  }

  /// {@return where the server puts files that are not to stay}
  Path temporaryFiles() {
    return home.resolve("tmp");
  }

  /// Ends the server as a power cut would.
  void kill() throws Exception {
    process.destroyForcibly().waitFor();
  }

  /// Tells the server to stop.
  ///
  /// @return its exit status
  int stop() throws Exception {
    process.destroy();
    if (!process.waitFor(20, TimeUnit.SECONDS)) {
      throw new AssertionError("the server did not stop within 20 s:\n" + output());
    }
    return process.exitValue();
  }

  void startAgain() throws Exception {
    process = launch();
    awaitReady();
  }

  private HttpResponse<String> send(String method, String path, String body)
      throws IOException, InterruptedException {
    var request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + path))
            .timeout(Duration.ofSeconds(30))
            .header("Content-Type", "application/yaml")
            .method(method, HttpRequest.BodyPublishers.ofString(body));
    Path token = home.resolve("token");
    if (Files.exists(token)) {
      request.header("Authorization", "Bearer " + Files.readString(token).strip());
    }
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  JsonNode get(String path) throws Exception {
    HttpResponse<String> answer = send("GET", "/api/v1" + path, "");
    if (answer.statusCode() != 200) {
      throw new IllegalStateException(path + ": " + answer.statusCode() + " " + answer.body());
    }
    return JSON.readTree(answer.body());
  }

  /// Runs a command line against this server, in a process of its own.
  ///
  /// @param out receives all that it wrote
  /// @return its exit status
  int espalier(StringBuilder out, String... arguments) throws Exception {
    return command(home, Map.of("ESPALIER_SERVER", "http://127.0.0.1:" + httpPort), out, arguments);
  }

  /// Runs a command that needs no server.
  ///
  /// @param out gets what it says
  /// @return its exit status
  static int command(Path home, StringBuilder out, String... arguments) throws Exception {
    return command(home, Map.of(), out, arguments);
  }

  static int command(
      Path home, Map<String, String> environment, StringBuilder out, String... arguments)
      throws Exception {
    var line =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx200m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                productClassPath(),
                "dev.espalier.cli.Espalier"));
    line.addAll(List.of(arguments));
    var builder = new ProcessBuilder(line).redirectErrorStream(true);
    builder.environment().putAll(environment);
    builder.environment().put("ESPALIER_HOME", home.toString());
    Process command = builder.start();
    out.append(new String(command.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
    return command.waitFor();
  }

  /// {@return the id of the new job}
  String submit(String yaml) throws Exception {
    HttpResponse<String> answer = send("POST", "/api/v1/jobs", yaml);
    if (answer.statusCode() >= 300) {
      throw new IllegalStateException(answer.statusCode() + " " + answer.body());
    }
    return JSON.readTree(answer.body()).path("id").asString();
  }

  /// {@return the answer to what is asked of a job, such as `pause`}
  HttpResponse<String> ask(String id, String action) throws Exception {
    return send("POST", "/api/v1/jobs/" + id + "/" + action, "");
  }

  JsonNode job(String id) throws Exception {
    return get("/jobs/" + id);
  }

  JsonNode await(String id, String what, Duration patience, Predicate<JsonNode> condition)
      throws Exception {
    long deadline = System.nanoTime() + patience.toNanos();
    JsonNode job = job(id);
    while (!condition.test(job)) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException(
            "waited for " + what + " but the job is " + job + "\n" + output() + logs(id));
      }
      Thread.sleep(POLL_MILLIS);
      job = job(id);
    }
    return job;
  }

  JsonNode awaitEnd(String id) throws Exception {
    return await(
        id,
        "the end",
        Duration.ofSeconds(150),
        job -> List.of("COMPLETED", "FAILED", "CANCELED").contains(job.path("state").asString()));
  }

  void awaitDecision(String id, String key) throws Exception {
    long deadline = System.nanoTime() + Duration.ofSeconds(90).toNanos();
    while (!decisions(id).containsKey(key)) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException(
            "waited for decision " + key + ", there are " + decisions(id).keySet() + output());
      }
      Thread.sleep(POLL_MILLIS);
    }
  }

  /// {@return decisions by key, as text without their times and positions}
  TreeMap<String, String> decisions(String id) throws Exception {
    var decisions = new TreeMap<String, String>();
    for (JsonNode decision : get("/jobs/" + id + "/decisions?pageSize=1000").path("items")) {
      String before =
          decisions.put(
              decision.path("key").asString(),
              decision.path("outcome").asString() + " " + decision.path("evidence"));
      if (before != null) {
        throw new IllegalStateException("logged twice: " + decision.path("key"));
      }
    }
    return decisions;
  }

  ProcessHandle worker(String id, int worker) throws IOException {
    Path file = home.resolve("jobs").resolve(id).resolve("worker-" + worker + ".pid");
    return ProcessHandle.of(Long.parseLong(Files.readString(file).strip())).orElseThrow();
  }

  Path checkpoints(String id) {
    return home.resolve("jobs").resolve(id).resolve("checkpoints");
  }

  String logs(String id) throws IOException {
    var all = new StringBuilder();
    Path logs = home.resolve("jobs").resolve(id).resolve("logs");
    if (Files.isDirectory(logs)) {
      try (Stream<Path> files = Files.list(logs)) {
        for (Path file : files.sorted().toList()) {
          all.append(file.getFileName()).append('\n').append(Files.readString(file));
        }
      }
    }
    return all.toString();
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException _) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    ProcessHandle.allProcesses().filter(this::isWorker).forEach(ProcessHandle::destroyForcibly);
  }

  /// The folder of its jobs stands first on a worker's command line, and its port after a class
  /// path of which Java may leave the end out.
  private boolean isWorker(ProcessHandle handle) {
    return handle
        .info()
        .commandLine()
        .filter(line -> line.contains(":" + grpcPort) || line.contains("=" + home + "/jobs"))
        .isPresent();
  }
}
