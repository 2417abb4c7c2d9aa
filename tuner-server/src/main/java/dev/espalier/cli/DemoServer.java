package dev.espalier.cli;

import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.TunerClient;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/*
 * A server in a process of its own, from the same Java and class path as this one. It runs in a
 * session of its own where the machine can do that, so that Ctrl-C reaches this process only, which
 * then ends job and server in order. What the server started itself is ended with it, if need be by
 * force: a demo must leave nothing behind.
 */
/// The server of the demo.
final class DemoServer implements AutoCloseable {
  private static final Duration START = Duration.ofMinutes(4);
  private static final Duration STOP = Duration.ofSeconds(20);

  /// Read by `./espalier` itself.
  private static final Set<String> OF_THE_LAUNCHER = Set.of("ESPALIER_JDK", "ESPALIER_DEBUG");

  private final Process process;
  private final Path log;
  private final String address;
  private final Path home;

  private DemoServer(Process process, Path home, Path log, String address) {
    this.process = process;
    this.home = home;
    this.log = log;
    this.address = address;
  }

  /// Starts the process; the server is not ready yet.
  static DemoServer start(Path home, Optional<Path> dataRoot) {
    Path log = home.resolve("logs").resolve("demo-server.log");
    try {
      Files.createDirectories(log.getParent());
      int httpPort = freePort();
      var command = new ArrayList<String>();
      setsid().ifPresent(command::add);
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(ownOptions());
      command.addAll(List.of("-cp", System.getProperty("java.class.path")));
      command.addAll(List.of(Espalier.class.getName(), "server"));
      command.addAll(List.of("--home", home.toString(), "--http-port", "" + httpPort));
      command.addAll(List.of("--grpc-port", "" + freePort()));
      dataRoot.ifPresent(root -> command.addAll(List.of("--data-root", root.toString())));
      var builder =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .redirectInput(new File("/dev/null"));
      builder.environment().keySet().removeIf(DemoServer::isSetting);
      Process process = builder.start();
      return new DemoServer(process, home, log, "http://127.0.0.1:" + httpPort);
    } catch (IOException e) {
      throw new CommandFailure(
          ExitStatus.INTERNAL, "the server could not be started: " + e.getMessage(), e);
    }
  }

  /// {@return whether a variable would let the demo's server be another one than the demo's: one
  /// that runs the jobs of a database which is named there, say}
  static boolean isSetting(String variable) {
    return variable.toUpperCase(Locale.ROOT).startsWith("ESPALIER_")
        && !OF_THE_LAUNCHER.contains(variable);
  }

  private static Optional<String> setsid() {
    return Stream.of("/usr/bin/setsid", "/bin/setsid")
        .filter(file -> Files.isExecutable(Path.of(file)))
        .findFirst();
  }

  private static List<String> ownOptions() {
    return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> !option.startsWith("-agentlib") && !option.startsWith("-javaagent"))
        .toList();
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  String address() {
    return address;
  }

  Path log() {
    return log;
  }

  Path tokenFile() {
    return home.resolve("token");
  }

  long pid() {
    return process.pid();
  }

  /// Waits until the server is ready.
  ///
  /// @param progress called now and then meanwhile
  /// @return a client with the server's token
  TunerClient await(Runnable progress) throws InterruptedException {
    var probe = new TunerClient(address, Optional.empty());
    long end = System.nanoTime() + START.toNanos();
    while (System.nanoTime() < end) {
      if (process.waitFor(250, TimeUnit.MILLISECONDS)) {
        throw new CommandFailure(
            ExitStatus.UNREACHABLE, "the server ended while it started:\n" + lastWords());
      }
      if (probe.isReady() && Files.isReadable(tokenFile())) {
        return new TunerClient(address, Optional.of(Invocation.readToken(tokenFile())));
      }
      progress.run();
    }
    throw new CommandFailure(
        ExitStatus.UNREACHABLE,
        "the server was not ready within " + START.toMinutes() + " minutes; its log: " + log);
  }

  private String lastWords() {
    try {
      List<String> lines =
          Files.readAllLines(log).stream()
              .filter(line -> !line.isBlank() && !line.startsWith("\tat "))
              .toList();
      List<String> own = lines.stream().filter(line -> line.startsWith("espalier: ")).toList();
      List<String> told = own.isEmpty() ? lines : own;
      return String.join("\n", told.subList(Math.max(0, told.size() - 5), told.size()))
          + "\nIts log: "
          + log;
    } catch (IOException e) {
      return "Its log: " + log;
    }
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
}
