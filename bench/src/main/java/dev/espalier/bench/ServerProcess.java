package dev.espalier.bench;

import dev.espalier.cli.client.TunerClient;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// A server as users start it, in a process of its own.
final class ServerProcess implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(180);
  private static final Duration STOP = Duration.ofSeconds(30);
  private static final int POLL_MILLIS = 5;

  private final Process process;
  private final Path home;
  private final String address;
  private final double readySeconds;

  private ServerProcess(Process process, Path home, String address, double readySeconds) {
    this.process = process;
    this.home = home;
    this.address = address;
    this.readySeconds = readySeconds;
  }

  /// {@return the folder of the distribution that is measured}
  static Path distribution() {
    return Path.of(System.getProperty("espalier.home.dist", ".")).toAbsolutePath();
  }

  /// Starts a server and waits until it is ready.
  static ServerProcess start(Path home) throws IOException, InterruptedException {
    int port = freePort();
    String address = "http://127.0.0.1:" + port;
    List<String> command =
        List.of(
            distribution().resolve("espalier").toString(),
            "server",
            "--home",
            home.toString(),
            "--http-port",
            Integer.toString(port),
            "--grpc-port",
            Integer.toString(freePort()));
    long start = System.nanoTime();
    var builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log(home).toFile());
    builder.environment().put("ESPALIER_SKIP_BUILD", "1");
    builder.environment().put("ESPALIER_JDK", System.getProperty("java.home"));
    Process process = builder.start();
    await(process, address, home, start);
    return new ServerProcess(process, home, address, (System.nanoTime() - start) / 1e9);
  }

  private static void await(Process process, String address, Path home, long start)
      throws IOException, InterruptedException {
    var probe = new TunerClient(address, Optional.empty());
    while (!probe.isReady()) {
      if (process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        throw new IOException("the server ended:\n" + Files.readString(log(home)));
      }
      if (System.nanoTime() - start > START.toNanos()) {
        process.destroyForcibly();
        throw new IOException("the server was not ready within " + START.toSeconds() + " s");
      }
    }
  }

  private static Path log(Path home) {
    return home.resolveSibling(home.getFileName() + ".log");
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /// {@return seconds from the start of the process until it said that it is ready}
  double readySeconds() {
    return readySeconds;
  }

  /// {@return a client with the server's first token}
  TunerClient client() throws IOException {
    return new TunerClient(address, Optional.of(Files.readString(home.resolve("token")).strip()));
  }

  /// Ends the server in good order, and by force what does not end.
  @Override
  public void close() {
    List<ProcessHandle> started = process.descendants().toList();
    process.destroy();
    try {
      if (!process.waitFor(STOP.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    started.stream().filter(ProcessHandle::isAlive).forEach(ProcessHandle::destroyForcibly);
  }

  /// Deletes a folder that a benchmark made, as far as it can.
  static void deleteTree(Path tree) throws IOException {
    try (var files = Files.walk(tree)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    }
  }
}
