package dev.espalier.cli;

import dev.espalier.cli.client.ExitStatus;
import dev.espalier.tuner.boot.TunerServerApplication;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `espalier server`.
@Command(
    name = "server",
    description = "Starts a server and runs until it is stopped.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  espalier server",
      "  espalier server --home /var/lib/espalier --data-root /srv/data",
      "  espalier server --http-port 8080 --set max-jobs-running=8"
    })
final class ServerCommand implements Callable<Integer> {
  @Option(
      names = "--home",
      paramLabel = "DIR",
      description = "Folder of everything it keeps (ESPALIER_HOME; default: ~/.espalier).")
  @Nullable Path home;

  @Option(
      names = "--http-port",
      paramLabel = "PORT",
      description = "Port of the REST interface and the dashboard; 0 for any (default: 7070).")
  @Nullable Integer httpPort;

  @Option(
      names = "--http-address",
      paramLabel = "ADDRESS",
      description = "Address to listen at (default: 127.0.0.1).")
  @Nullable String httpAddress;

  @Option(
      names = "--grpc-port",
      paramLabel = "PORT",
      description = "Port of the workers' channel; 0 for any (default: 7071).")
  @Nullable Integer grpcPort;

  @Option(
      names = "--grpc-address",
      paramLabel = "ADDRESS",
      description = "Address of the workers' channel (default: 127.0.0.1).")
  @Nullable String grpcAddress;

  @Option(
      names = "--data-root",
      paramLabel = "DIR",
      description = "Folder that jobs may read data below; may be repeated (default: HOME/data).")
  List<Path> dataRoots = List.of();

  @Option(
      names = "--programs-dir",
      paramLabel = "DIR",
      description = "Folder of jars with programs (default: HOME/programs).")
  @Nullable Path programsDir;

  @Option(
      names = "--new-token",
      description = "Makes another token, in HOME/token, for who has lost theirs.")
  boolean newToken;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Any other setting of the server, such as max-jobs-running=8.")
  List<String> settings = List.of();

  @Override
  public Integer call() throws InterruptedException {
    TunerServerApplication.main(arguments().toArray(String[]::new));
    // The server runs in its own threads; a signal ends the process, and it in good order.
    new CountDownLatch(1).await();
    return ExitStatus.OK.code();
  }

  /// {@return the settings in the form that the server reads}
  List<String> arguments() {
    var arguments = new ArrayList<String>();
    add(arguments, "home", home == null ? null : home.toAbsolutePath());
    add(arguments, "http.port", httpPort);
    add(arguments, "http.address", httpAddress);
    add(arguments, "grpc.port", grpcPort);
    add(arguments, "grpc.address", grpcAddress);
    for (int i = 0; i < dataRoots.size(); i++) {
      add(arguments, "data-roots[" + i + "]", dataRoots.get(i).toAbsolutePath());
    }
    add(arguments, "programs-dir", programsDir == null ? null : programsDir.toAbsolutePath());
    add(arguments, "new-token", newToken ? true : null);
    settings.forEach(setting -> arguments.add("--espalier." + setting));
    return arguments;
  }

  private static void add(List<String> arguments, String key, @Nullable Object value) {
    if (value != null) {
      arguments.add("--espalier." + key + "=" + value);
    }
  }
}
